#!/bin/sh
# planted.t - the checker finds what it looks for: a sound history passes, and
# each way of breaking it is told, by the number of its invariant
# functions that are called by name; the host's variables:
# shellcheck disable=SC2016,SC2119,SC2317
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/conc/scene.sh
. "$top/tests/conc/scene.sh"

# --- a sound history -----------------------------------------------------------------

# Of h1: 1 goes well, 2 fails and is undone, 3 is cancelled in the queue, 4 tries
# twice, 5 is stopped in its first step, 6 has a key that two ask for.
mkdir "$work/sound"
cat >"$work/sound/programs" <<'END'
program good - c
program bad - x
program flaky r
program slow l -
END
cat >"$work/sound/acts" <<'END'
100 200 1000 0 add f1-1 good h1 - - - - | 1 |
300 400 1000 0 add f1-2 bad h1 - - - - | 2 |
500 600 1000 0 add f2-1 good h1 - - - - | 3 |
610 690 1000 0 cancel 3 | | change 3 is cancelled
700 800 1000 0 add f2-2 flaky h1 - - - - | 4 |
810 890 1000 0 add f2-3 slow h1 - - - - | 5 |
900 990 1000 0 add f1-3 slow h1 k - - - | 6 |
910 980 1000 0 add f2-4 slow h1 k - - - | 6 |
991 992 1000 75 add f2-5 good h1 - - - - | | towerify-queue: busy
5100 5200 1000 0 cancel 5 | | change 5 runs: its host is told
5300 5310 1000 0 hold h1 | |
5990 5995 1000 0 release h1 | |
6000 6010 1000 0 why 6 | change 6 waits |
END
cat >"$work/sound/tower" <<'END'
change 1 h1 succeeded j1 f1-1 - 0
change 2 h1 rolled-back j2 f1-2 - 0
change 3 h1 cancelled j3 f2-1 - 0
change 4 h1 succeeded j4 f2-2 - 0
change 5 h1 rolled-back j5 f2-3 - 0
change 6 h1 succeeded j6 f1-3 k 0
step 1 1 done - 1
step 1 2 done - 1
step 2 1 done done 1
step 2 2 failed done 1
step 3 1 waiting - 0
step 3 2 waiting - 0
step 4 1 done - 2
step 5 1 interrupted done 1
step 5 2 waiting - 0
step 6 1 done - 1
step 6 2 done - 1
audit change.cancel 3
audit change.cancel 5
END
for id in 1 2 3 4 5 6; do
	echo "audit change.file $id"
	[ "$id" = 3 ] || printf 'audit change.%s '"$id"'\n' start accept end
done >>"$work/sound/tower"
cat >"$work/sound/log" <<'END'
1000 h1 1 1 run begin free j1
1010 h1 1 1 run mid - j1
1020 h1 1 1 run end - j1
1030 h1 1 2 check begin free j1
1040 h1 1 2 check end - j1
1050 h1 1 2 run begin free j1
1060 h1 1 2 run end - j1
1070 h1 1 2 check begin free j1
1080 h1 1 2 check end - j1
2000 h1 2 1 run begin free j2
2010 h1 2 1 run end - j2
2020 h1 2 2 run begin free j2
2030 h1 2 2 run fail - j2
2040 h1 2 2 undo begin free j2
2050 h1 2 2 undo end - j2
2060 h1 2 1 undo begin free j2
2070 h1 2 1 undo end - j2
4000 h1 4 1 run begin free j4
4010 h1 4 1 run fail - j4
4020 h1 4 1 run begin free j4
4030 h1 4 1 run end - j4
5000 h1 5 1 run begin free j5
5250 h1 5 1 undo begin free j5
5260 h1 5 1 undo end - j5
6000 h1 6 1 run begin free j6
6010 h1 6 1 run end - j6
6020 h1 6 2 run begin free j6
6030 h1 6 2 run end - j6
END

judge() {	# judge DIR
	checker "$1/programs" "$1/acts" "$1/tower" "$1/log"
}
ok 'a sound history is found sound' judge "$work/sound"

# --- and broken ones -------------------------------------------------------------------

# plant INVARIANT TEXT FILE SED-SCRIPT PATTERN: TEXT is what was done to FILE
plant() {
	rm -rf "$work/broken"
	cp -r "$work/sound" "$work/broken"
	sed -e "$4" "$work/sound/$3" >"$work/broken/$3"
	planted=0
	judge "$work/broken" >"$work/said" 2>&1 || planted=$?
	if [ "$planted" -eq 1 ] && ! cmp -s "$work/sound/$3" \
		"$work/broken/$3" && grep -q "^invariant $1: .*$5" "$work/said"
	then
		pass "$1: $2"
	else
		fail "$1: $2" <"$work/said"
	fi
}

plant 1 'processes of another step still live' log \
	'/^2060 /s/free/taken/' "another one's processes live"
plant 1 'a step begins before the one before has ended' log \
	'/^1020 /d' 'has not ended'
plant 1 'a step that was stopped goes on' log \
	'/^5250 /a5255 h1 5 1 run mid - j5' 'it goes on'
plant 1 'two changes in turn' log \
	'/^2030 /{h;d;};/^4030 /{p;s/.*/4040 h1 2 2 run fail - j2/;}' \
	'another change came between'
plant 1 'a step that is over speaks' log \
	'/^1020 /a1025 h1 1 1 run mid - j1' 'it did not begin'
plant 1 'time goes back' log '/^1020 /s/1020/900/' 'earlier than'
plant 1 'the last step never ends' log '/^6030 /d' 'never ended'

plant 2 'the later change starts first' acts \
	's/^100 200 /3000 3100 /' 'starts'
plant 2 'one overtakes another' log \
	'/^[45][0-9]* /{s/^4/7/;s/^5/3/;}
	/ h1 4 /{s/ h1 4 / h1 5 /;s/j4/j5/;b
	};/ h1 5 /{s/ h1 5 / h1 4 /;s/j5/j4/;}' 'was there before it'
plant 2 'a number is given out of turn' acts \
	's/| 2 |/| 77 |/' 'was filed after'
plant 2 'a change starts before its hour' acts \
	'/f2-2/s/h1 - - - -/h1 - 1020 - -/' 'before it joins'
plant 2 'two start on a held host' acts '/hold/s/^5300 5310/995 996/' \
	'though it is held'

plant 3 'a step runs twice' log '/^2010 /a2011 h1 2 1 run begin free j2\
2012 h1 2 1 run end - j2' 'it starts again'
plant 3 'an attempt too many' log '/^2030 /a2031 h1 2 2 run begin free j2\
2032 h1 2 2 run fail - j2' 'it starts again'
plant 3 'a step is left out' log '/^6000 /d;/^6010 /d' 'not its turn'
plant 3 'what was cancelled in the queue runs' log \
	'/^2070 /a3000 h1 3 1 run begin free j3\
3010 h1 3 1 run end - j3' 'cancelled in the queue'
plant 3 'a change runs as two jobs' log '/^2020 /s/j2/j9/' 'another job'
plant 3 'a change runs on the wrong host' log 's/ h1 4 / h2 4 /' \
	'filed for another host'
plant 3 'what nobody filed runs' log 's/ h1 4 / h1 44 /' 'nobody filed it'
plant 3 'a step that is not in the program' log '/^1030 /s/1 2 check/1 7 check/' \
	'no such step'

plant 4 'an undo runs twice' log '/^2050 /a2051 h1 2 2 undo begin free j2\
2052 h1 2 2 undo end - j2' 'again'
plant 4 'an undo in order, not in reverse' log \
	'/^2040 /s/2 2 undo/2 1 undo/;/^2050 /s/2 2 undo/2 1 undo/
	/^2060 /s/2 1 undo/2 2 undo/;/^2070 /s/2 1 undo/2 2 undo/' 'reverse'
plant 4 'an undo of what never ran' log \
	'/^5250 /s/5 1 undo/5 2 undo/;/^5260 /s/5 1 undo/5 2 undo/' 'never ran'
plant 4 'an undo though nothing failed' log \
	'/^6030 /a6040 h1 6 2 undo begin free j6\
6050 h1 6 2 undo end - j6' 'nothing had failed'
plant 4 'an undo is forgotten' log '/^2060 /d;/^2070 /d' 'was not undone'
plant 4 'an undo is broken off' log '/^2070 /d' 'never ended'
plant 4 'a step after the undo' log '/^2070 /a2080 h1 2 1 run begin free j2\
2081 h1 2 1 run end - j2' 'after an undo'
plant 4 'a change stops half-way' log '/^6020 /d;/^6030 /d' 'half-way'

plant 5 'a change has no end' tower '/^change 6/s/succeeded/running/' 'no end'
plant 5 'the tower calls good what was undone' tower \
	'/^change 2/s/rolled-back/succeeded/' "by its host's records"
plant 5 'the tower calls cancelled what ran' tower \
	'/^change 4/s/succeeded/cancelled/' "by its host's records"
plant 5 'a step is told wrongly' tower 's/^step 4 1 done/step 4 1 failed/' \
	'say otherwise'
plant 5 'an undo is told wrongly' tower 's/^step 2 1 done done/step 2 1 done -/' \
	'say otherwise'
plant 5 'an attempt is told too few' tower 's/^step 4 1 done - 2/step 4 1 done - 1/' \
	'tries'
plant 5 'why has no answer' acts 's/change 6 waits//' 'no answer'

plant 6 'a promised change is gone' tower '/[a-z] 4 /d' 'is not there'
plant 6 'a refused change is there' acts \
	'/f2-2/{s/0 add/75 add/;s/| 4 |/| | busy/;}' 'was told 75'
plant 6 'a refusal with a number' acts '/f2-2/s/0 add/75 add/' 'but status 75'
plant 6 'a change that nobody filed' acts '/f2-2/d' 'nobody filed it'
plant 6 'a filing is there twice' tower '/^change 4/{p;s/ 4 / 7 /;}' \
	'the same filing'
plant 6 'a key has two changes' tower '/^change 4/s/ - 0/ k 0/' 'same filing'
plant 6 'a number is given out twice' acts '/f1-2/s/| 2 |/| 1 |/' \
	'given out twice'
plant 6 'success without a number' acts '/f1-2/s/| 2 |/| |/' 'without a number'

plant 7 'a transition without its record' tower '/change.start 4/d' \
	'0 change.start records'
plant 7 'an end is recorded twice' tower '/change.end 4/p' \
	'2 change.end records'

plant 0 'an exit status that the manual does not know' acts \
	'/hold h1/s/ 0 hold/ 70 hold/' 'status 70'
plant 0 'SQLite speaks for itself' acts \
	'/hold h1/s/.*/5300 5310 1000 75 hold h1 | | database is locked/' \
	'locked'

# --- what steps say it with ---------------------------------------------------------------

# A process that an earlier step has left keeps its lock.
mkdir "$work/host"
scene_home "$work/host"
step() {	# step CHANGE SCRIPT
	HOME=$work/host TOWERIFY_HOST=h1 TOWERIFY_CHANGE=$1 TOWERIFY_STEP=1 \
		sh -euc ". \"\$HOME/say\"; $2"
}
step 1 'say run begin; say run end'
step 2 'say run begin; : >"$HOME/there"
	until test -e "$HOME/go"; do sleep 0.05; done' &
left=$!
until_ test -e "$work/host/there"
step 3 'say run begin; say run end'
: >"$work/host/go"
wait "$left"
step 4 'say run begin; say run end'
ok 'note: who begins beside another says so, and nobody else' test \
	"$(cut -d ' ' -f 3,6,7 "$work/host/h1.log" | tr '\n' ',')" = \
	'1 begin free,1 end -,2 begin free,3 begin taken,3 end -,4 begin free,4 end -,'
status=0
act -k 100 "$work/record" sleeps -- sleep 30 || status=$?
ok 'act: who is killed is recorded as killed' grep -q \
	'^[0-9]* [0-9]* [0-9]* killed sleeps |  | $' "$work/record"
ok '... and says so' test "$status" -eq 137
finish
