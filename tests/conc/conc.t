#!/bin/sh
# conc.t - eight runners, fifty filers, everybody at once: what the hosts have
# recorded holds the promises, and the tower says the same
#
# TOWERIFY_CONC_LONG: for a minute; else each filer acts four times.
# the host's variables; functions with optional arguments; $seed is lib.sh's:
# shellcheck disable=SC2016,SC2119,SC2154
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
runners=8
filers=50
if [ -n "${TOWERIFY_CONC_LONG-}" ]; then
	acts=1000
	pause=1500
	seconds=${TOWERIFY_CONC_SECONDS:-60}
else
	: "${TOWERIFY_SEED:=1}"
	# The minute is for disks that take their time.
	[ ! -w /dev/shm ] || TMPDIR=/dev/shm
	export TMPDIR
	acts=4
	pause=1000
	seconds=
fi
# shellcheck source=tests/conc/scene.sh
. "$top/tests/conc/scene.sh"

scene
echo "# seed $seed"

# --- what they do, drawn before it begins ------------------------------------------

# plan N: lines "PAUSE VERB HOST PROGRAM NUMBER" of filer N
plan() {
	awk -v seed="$seed$1" -v n="$acts" -v pause="$pause" '
	function draw(list,	i, r, words, m) {
		m = split(list, words, " ")
		r = rand() * 100
		for (i = 1; i < m; i += 2)
			if ((r -= words[i]) < 0)
				break
		return words[i < m ? i + 1 : m]
	}
	BEGIN {
		srand(seed)
		while (n-- > 0)
			printf "%.3f %s %s %s %d\n", rand() * pause / 1000,
				draw("34 add 6 several 6 before 4 until " \
				"2 strict 9 key 7 killed 2 run 1.5 wait " \
				"5 cancel 8.5 stop 3 retry 1 hold 4 release " \
				"2.5 why 1 list 0.5 verify 1.5 op 1.5 set"),
				draw("20 h1 20 h2 20 h3 20 g1 20 g2"),
				draw("30 good 20 checked 8 held 8 flaky " \
				"14 bad 16 slow 1 late 3 stuck"),
				int(rand() * 1000)
	}'
}

# passes N: lines "PAUSE KILL HOW" of runner N; KILL in milliseconds, or never
passes() {
	awk -v seed="$seed$1" 'BEGIN {
		srand(seed)
		for (n = 0; n < 1000; n++) {
			r = rand()
			how = r < 0.6 ? "all" : r < 0.8 ? "some" : \
				r < 0.9 ? "one" : "watch"
			kill = rand() < 0.5 || how == "watch" ? \
				int(50 + rand() * 2000) : "never"
			printf "%.3f %s %s\n", 0.1 + rand() * 0.4, kill, how
		}
	}'
}

# --- filers -----------------------------------------------------------------------------

# file TAG PROGRAM HOSTS KEY BEFORE UNTIL HOW [ACT-OPTION…]; ids is what it printed
file() {
	file_tag=$1
	file_program=$2
	file_hosts=$3
	file_key=$4
	file_before=$5
	file_until=$6
	file_how=$7
	shift 7
	set -- "$@" "$history/acts/$actor" add "$file_tag" "$file_program" \
		"$file_hosts" "$file_key" "$file_before" "$file_until" \
		"$file_how" -- towerify-queue -q add "$file_hosts" \
		"$work/$file_program.yaml" --reason "$file_tag"
	[ "$file_key" = - ] || set -- "$@" --key "$file_key"
	[ "$file_before" = - ] || set -- "$@" --not-before \
		"$(date -u -d "@${file_before%000}" +%FT%TZ)"
	[ "$file_until" = - ] || set -- "$@" --not-after \
		"$(date -u -d "@${file_until%000}" +%FT%TZ)"
	case $file_how in
	hold) set -- "$@" --after-failure hold ;;
	run) set -- "$@" --run ;;
	wait) set -- "$@" --wait=3s ;;
	esac
	file_status=0
	ids=$(act "$@") || file_status=$?
	[ -z "$ids" ] || echo "$ids" >>"$work/filed"
}

# One that was killed, or refused, is filed again under its key.
file_killed() {	# file_killed TAG PROGRAM HOST MS
	file "$1" "$2" "$3" "$1" - - - -k "$4"
	again=0
	while [ "$file_status" -ne 0 ] && [ "$again" -lt 5 ]; do
		again=$((again + 1))
		file "$1" "$2" "$3" "$1" - - -
	done
}

simply() {	# simply WORD… -- COMMAND…
	act "$history/acts/$actor" "$@" >/dev/null || :
}

# A number filed some time ago.
some_id() {
	tail -n "$1" "$work/filed" | head -n 1
}

# What runs on a host, if that takes long enough.
stop() {
	for attempt in 1 2 3 4 5; do
		id=$(towerify-queue list "$1" --status running -n --tsv -o id \
			2>/dev/null) || id=
		if [ -z "$id" ]; then
			sleep "0.$attempt"
		elif act "$history/acts/$actor" cancel "$id" -- \
			towerify-queue cancel "$id" >/dev/null; then
			break
		fi
	done
}

operator() {	# operator N: comes, may do something, goes again
	simply op add "$1" -- towerify-op -q add "$1"
	simply op grant "$1" -- towerify-op -q grant "$1" view
	[ $(($2 % 2)) -eq 0 ] ||
		simply op remove "$1" -- towerify-op -q remove "$1"
}

do_() {		# do_ N VERB HOST PROGRAM NUMBER
	tag=$actor-$1
	case $2 in
	add) file "$tag" "$4" "$3" - - - - ;;
	several) file "$tag" "$4" h1,h3,g2 - - - - ;;
	before) file "$tag" "$4" "$3" - \
		$(($(date +%s) + 1 + $5 % 3))000 - - ;;
	until) file "$tag" "$4" "$3" - - $(($(date +%s) + 3 + $5 % 6))000 - ;;
	strict) file "$tag" "$4" "$3" - - - hold ;;
	key) file "$tag" good "h$(($5 % 3 + 1)),g1" "shared-$(($5 % 12))" \
		- - - ;;
	killed) file_killed "$tag" "$4" "$3" $(($5 % 25)) ;;
	run | wait) file "$tag" "$4" "$3" - - - "$2" ;;
	cancel) id=$(some_id $(($5 % 30 + 1)))
		[ -z "$id" ] || simply cancel "$id" -- \
			towerify-queue cancel "$id" ;;
	stop) stop "$3" ;;
	retry) id=$(some_id $(($5 % 50 + 1)))
		[ -z "$id" ] || echo "$(act "$history/acts/$actor" retry \
			"$tag" "$id" -- towerify-queue -q retry "$id")" \
			>>"$work/filed" ;;
	hold | release) simply "$2" "$3" -- towerify-host -q "$2" "$3" ;;
	why) id=$(some_id $(($5 % 50 + 1)))
		[ -z "$id" ] || simply why "$id" -- towerify-queue why "$id" ;;
	list) simply look list -- towerify-queue list --all ;;
	verify) simply look verify -- towerify-audit verify ;;
	op) operator "$tag" "$5" ;;
	set) simply set "$3" "$actor" "$1" -- towerify-host -q set "$3" \
		"label.$actor=$1" ;;
	esac
}

# All begin with the same key, and with the same host, at once.
filer() {
	actor=f$1
	done=0
	file "$actor-0" good h1,h2,h3,g1,g2 all - - -
	simply set h1 "$actor" 0 -- towerify-host -q set h1 "label.$actor=0"
	plan "$1" >"$work/plan.$1"
	while read -r rest verb host program number; do
		[ -e "$work/filing" ] || break
		done=$((done + 1))
		sleep "$rest"
		do_ "$done" "$verb" "$host" "$program" "$number" </dev/null
	done <"$work/plan.$1"
}

# --- runners, and what cuts them off ---------------------------------------------------------

runner() {
	actor=r$1
	passes "$1" >"$work/passes.$1"
	while read -r rest kill how; do
		[ -e "$work/running" ] || break
		set -- "$history/acts/$actor" run "$how" -- towerify-run
		[ "$kill" = never ] || set -- -k "$kill" "$@"
		case $how in
		some) set -- "$@" --hosts h1,g2 ;;
		one) set -- "$@" --jobs 1 ;;
		watch) set -- "$@" --watch ;;
		esac
		act "$@" </dev/null >/dev/null || :
		sleep "$rest"
	done <"$work/passes.$1"
}

cutter() {
	random 1000 2 >"$work/cuts"
	while read -r which; do
		[ -e "$work/running" ] || break
		sleep 0.7
		case $which in
		0) sshd_sessions "$work/sshd" ;;
		*) sshd_sessions "$work/sshd-b" ;;
		esac
		echo cut >>"$work/cut"
		# it has no patience with a busy state
		hurry 2>/dev/null || :
	done <"$work/cuts"
}

# --- all at once -----------------------------------------------------------------------------

: >"$work/filed"
: >"$work/cut"
: >"$work/filing"
: >"$work/running"
set --
n=0
while [ "$n" -lt "$runners" ]; do
	n=$((n + 1))
	runner "$n" 2>"$work/said.r$n" &
	set -- "$@" "$!"
done
cutter 2>"$work/said.cutter" &
set -- "$@" "$!"
for n in $(seq "$filers"); do
	filer "$n" 2>"$work/said.f$n" &
	eval "filer_$n=$!"
done
if [ -n "$seconds" ]; then
	sleep "$seconds"
	rm "$work/filing"
fi
for n in $(seq "$filers"); do
	eval "wait \$filer_$n" || echo "filer $n" >>"$work/bad"
done
rm "$work/running"
for pid; do
	wait "$pid" || echo "runner or cutter $pid" >>"$work/bad"
done
ok 'filers and runners come to their ends' test ! -e "$work/bad"
cat "$work"/said.[rfc]* >"$work/said.all"
ok '... and nothing was wrong with them' test ! -s "$work/said.all"

# --- then in peace -----------------------------------------------------------------------------

actor=end
nothing_waits() {
	for host in h1 h2 h3 g1 g2; do
		simply release "$host" -- towerify-host -q release "$host"
	done
	hurry
	simply run all -- towerify-run
	[ -z "$(towerify-queue list -n --tsv -o id)" ]
}
ok 'every change comes to an end' until_ nothing_waits

tower_says
if judged >"$work/judged"; then
	pass 'the records of the hosts hold the promises, and the tower agrees'
else
	fail 'the records of the hosts hold the promises, and the tower agrees' \
		<"$work/judged"
fi
grep '^#' "$work/judged"
echo "# figures: $(wc -l <"$work/cut") cut sessions"
ok 'the audit trail is whole' towerify-audit verify
ok 'the state is sound' test "$(sql 'PRAGMA integrity_check')" = ok
ok '... and refers to nothing that is not there' \
	test -z "$(sql 'PRAGMA foreign_key_check')"

# What was done to operators and labels: each has its own, the last word counts.
words_of() {	# words_of VERB: those of the acts that were done
	awk -v verb="$1" '$4 == 0 && $5 == verb {
		print $6, $7, $8 }' "$history/all"
}
operators_are() {
	words_of op | awk '$1 == "add" { is[$2] = 1 }
		$1 == "remove" { delete is[$2] }
		END { for (o in is) print o }' | sort >"$work/want"
	towerify-op list -n --tsv -o operator | grep '^f[0-9]*-' | sort \
		>"$work/have"
	diff "$work/want" "$work/have"
}
ok 'every operator who was added is there, and no other' operators_are
labels_are() {
	words_of set | awk '{ last[$1 " " $2] = $3 }
		END { for (l in last) print l, last[l] }' | sort >"$work/want"
	towerify-host list -J | jq -r '.hosts[] | .name as $h | (.labels // "") |
		split(",")[] | "\($h) \(sub("="; " "))"' | sort >"$work/have"
	diff "$work/want" "$work/have"
}
ok 'no label was lost' labels_are

[ -z "${TOWERIFY_CONC_KEEP-}" ] || {
	mkdir -p "$TOWERIFY_CONC_KEEP"
	cp -r "$history" "$work/judged" "$work"/sshd*/home/*.log \
		"$TOWERIFY_CONC_KEEP"
}
leave
