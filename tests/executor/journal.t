#!/bin/sh
# journal.t - the record of a job ends at any byte: nothing is done twice, and
# no end is told that is not true
#
# Two ways.  "cut": the power went, so what was done is what the whole lines of
# the record announce, and the stream shows no more.  "lost": the record became
# shorter than what the stream shows (a file system's repair, a person): then
# nobody can go on from it.
#
# A sample that TOWERIFY_SEED chooses; with TOWERIFY_FAULT_LONG every byte.
#
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

long=${TOWERIFY_FAULT_LONG-}
seed=${TOWERIFY_SEED:-1}
sample=14	# cuts of each record, each way
echo "# seed $seed"
log=$work/log
plant=
only=

# --- three changes, each with its whole record -----------------------------------

# does_ N RUN UNDO: leaves a line for each time it runs or is undone
does_() {
	does "echo run$1 >>$log; $2" "echo undo$1 >>$log; $3"
}

# keep NAME: the job that has just ended is the one to cut
keep() {
	made=$work/made.$1
	cp -a "$spool/jobs/$job" "$made"
	rm -rf "$spool/jobs/$job" "$spool/held" "$log"
	printf 'nonce=%s job=%s seq=%s keys=%s\n' "$nonce" "$job" "$seq" \
		"$keys" >"$made.names"
	rm -f "$made/shown" "$made/fifo"
}

init
new
does_ 1 true true
does_ 2 'echo some output' true
does_ 3 true true
start
ok 'one that succeeds' says 'over verdict'
keep good

new
does_ 1 true true
step run 60 1
part check "test -e $work/second"
part run "echo run2 >>$log; ! test -e $work/first || : >$work/second; : >$work/first"
part undo "echo undo2 >>$log; exit 1"
does_ 3 'exit 3' true
start
rm -f "$work/first" "$work/second"
ok 'one that is not wholly rolled back' says '[0-9]* [0-9]* verdict failed'
ok '... after a second attempt' test "$(grep -c run2 "$log")" -eq 2
keep bad

new
does_ 1 true true
does_ 2 true true
does_ 3 "! test -e $work/stay || { rm $work/stay; : >$work/here; sleep 620; }" true
does_ 4 true true
: >"$work/stay"
start_bg
crash_at "$work/here"
send resume
ok 'one of two lives, rolled back' says '[0-9]* [0-9]* verdict rolled-back'
ok '... its record' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; life 2; end 3 interrupted run 0; undo 3; undone 3 done 0; undo 2; undone 2 done 0; undo 1; undone 1 done 0; verdict rolled-back'
keep lives

# --- what is left of it ------------------------------------------------------------

# What the whole lines of a record on stdin have let happen; $1: but for the
# last, if nothing was heard of it after.
effects() {
	awk -v spare="$1" '
	{ last = 0 }
	$3 == "run" || $3 == "undo" { line[++n] = $3 $4; last = 1 }
	END { for (i = 1; i <= n - (last && spare); i++) print line[i] }'
}

# The executor that has the job from now on: $plant, if set, changes it.
place() {	# place NAME BYTES
	made=$work/made.$1
	eval "$(cat "$made.names")"
	j=$spool/jobs/$job
	rm -rf "$j" "$spool/held" "$log" "$work/first" "$work/second"
	cp -a "$made" "$j"
	[ -z "${plant-}" ] || sed -i "$plant" "$j/executor"
	head -c "$2" "$made/events" >"$j/events"
	whole=$(wc -l <"$j/events")
	head -n "$whole" "$j/events" >"$work/whole"
	# which comes before the verdict
	! grep -q ' verdict failed' "$work/whole" || : >"$spool/held"
}

# shows N: the streams end with event N, or a part of what comes next
shows() {
	lives=$(head -n "$1" "$made/events" | grep -c ' life ' || :)
	for s in "$j"/stream.*; do
		[ "${s##*.}" -le "$lives" ] || rm "$s"
	done
	[ "$lives" -gt 0 ] || { : >"$j/stream.1"; return 0; }
	at=$(grep -ab "^@$nonce $1 " "$made/stream.$lives" | cut -d : -f 1)
	at=$((at + $(tail -c "+$((at + 1))" "$made/stream.$lives" |
		head -n 1 | wc -c)))
	head -c "$((at + $1 * seed % 7))" "$made/stream.$lives" \
		>"$j/stream.$lives"
}

# Twice is more often than the record says; a false end is one that the log of
# what was done does not bear out.
judge() {	# judge SPARED
	sed 's/^[0-9]* [0-9]* //' "$j/events" >"$work/told"
	verdict=$(sed -n 's/^verdict //p' "$work/told")
	: >>"$log"
	grep '^run \|^undo ' "$work/told" | sort | uniq -d >"$work/twice"
	[ ! -s "$work/twice" ] || { cat "$work/twice"; return 1; }
	for k in 1 2 3 4; do
		for w in run undo; do
			n=$(grep -c "^$w$k\$" "$log" || :)
			e=$(grep -c "^$w $k\( \|\$\)" "$work/told" || :)
			[ "$n" -eq "$e" ] || [ "$((n + $1))" -eq "$e" ] || {
				echo "$w$k: $n times, $e in the record"
				return 1
			}
		done
		n=$(grep -c "^undo$k\$" "$log" || :)
		[ "$n" -le 1 ] || { echo "undone twice: $k"; return 1; }
		e=$(grep -c "^run $k " "$work/told" || :)
		case $verdict:$n:$e in
		succeeded:0:[1-9]*) ;;
		succeeded:0:0) [ "$k" -gt "$steps_made" ] || {
			echo "succeeded without step $k"; return 1; } ;;
		rolled-back:0:0) ;;
		rolled-back:[01]:[1-9]*)
			grep -q "^undone $k done" "$work/told" ;;
		failed:*) test -e "$spool/held" ;;
		*) false ;;
		esac || { echo "$verdict, but step $k: undone $n, run $e"
			return 1; }
	done
	grep '^undo' "$log" | sort -r | cmp - "$work/undos" || return 1
}

cut_() {	# cut_ NAME BYTES
	place "$1" "$2"
	shows "$whole"
	spare=$(($2 % 2))
	effects "$spare" <"$work/whole" >"$log"
	cp "$log" "$work/before"
	send resume
	says 'over verdict' || { echo 'no end'; return 1; }
	says '[0-9]* [0-9]* verdict' || { echo 'no verdict'; return 1; }
	grep '^undo' "$log" >"$work/undos" || :
	judge "$spare"
}

lost() {	# lost NAME BYTES
	place "$1" "$2"
	total=$(wc -l <"$made/events")
	[ "$whole" -lt "$total" ] || return 0
	# all of it, or the next event alone
	[ $(($2 % 2)) -eq 0 ] || shows $((whole + 1))
	effects 0 <"$made/events" >"$log"
	cp "$log" "$work/before"
	cp -a "$j" "$work/found"
	send resume
	r=0
	says 'refused lost the record holds less than was shown' &&
		cmp "$log" "$work/before" && diff -r "$work/found" "$j" || r=1
	rm -rf "$work/found"
	return "$r"
}

# --- at each byte --------------------------------------------------------------------

# Half of a sample is at the ends of lines.
bytes_of() {	# bytes_of NAME: where its record is to end
	awk -v seed="$seed" -v n="$sample" -v all="$long" '
	{ size += length($0) + 1; end[NR] = size }
	END {
		if (all) { for (i = 0; i <= size; i++) print i; exit }
		srand(seed + size)
		print 0; print size - 1; print size
		for (n -= 3; n > 1; n -= 2) {
			print int(rand() * size)
			print end[int(rand() * NR) + 1]
		}
	}' "$work/made.$1/events"
}

at_each() {	# at_each WAY NAME
	cuts=0 bad=0
	case $2 in lives) steps_made=4 ;; *) steps_made=3 ;; esac
	for b in ${only:-$(bytes_of "$2")}; do
		cuts=$((cuts + 1))
		"$1" "$2" "$b" >"$work/verdict" 2>&1 && continue
		bad=$((bad + 1))
		[ "$bad" -le 3 ] || continue
		echo "$1 $2 after byte $b:"
		cat "$work/verdict" "$log" "$j/events"
	done
	[ "$bad" -eq 0 ]
}

for name in good bad lives; do
	ok "cut, $name: it goes on or is undone, nothing twice" \
		at_each cut_ "$name"
	echo "# figures: $cuts records cut short"
	ok "lost, $name: nothing is done" at_each lost "$name"
	echo "# figures: $cuts records cut short"
done

# --- can it be found? ---------------------------------------------------------------

found() {	# found PLANT WAY NAME
	plant=$1
	fail=0
	if [ "$2" = lost ]; then
		cp "$text" "$work/sound"
		sed -i "$plant" "$text"
		! cmp -s "$text" "$work/sound"
	else
		! sed "$plant" "$text" | cmp -s - "$text"
	fi || { echo 'nothing was planted'; return 1; }
	at_each "$2" "$3" || fail=1
	plant=
	[ "$2" != lost ] || cp "$work/sound" "$text"
	[ "$fail" -eq 1 ]
}
only=$(sed '/ end 1 /q' "$work/made.good/events" | wc -c)
ok 'planted: a step that has run is run again' found \
	's/NEXT=$(($4 + 1)) ;;/ ;;/' cut_ good
only=
ok 'planted: what had run is not undone' found \
	's/RAN="$RAN$4 " RUN_T/RUN_T/' cut_ lives
ok 'planted: an undo is done again' found \
	's/UNDONE="$UNDONE$4 "/:/' cut_ bad
ok 'planted: what the stream shows does not count' found \
	's/^\[ "$EVENTS" -gt "$N" \] || return 0/return 1/' lost lives
finish
