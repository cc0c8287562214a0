#!/bin/sh
# cuts.t - the power goes, or who works on a job is killed, at every sync
#
# All that must not be lost is synced: by a request (acceptance, leave), by the
# executor (each event), by a reboot step.  A `sync' that comes before the
# system's own in PATH stands still just before or just after the N-th, for the
# power to be cut, or kills who called it.  So the cuts lie before, in and
# after a step, in an undo, and in a reboot step.
#
# A sample that TOWERIFY_SEED chooses; with TOWERIFY_FAULT_LONG all, and a
# second one in what follows.
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

seed=${TOWERIFY_SEED:-1}
long=${TOWERIFY_FAULT_LONG-}
echo "# seed $seed"
[ -z "$long" ] || TOWERIFY_RIG_TTL=14400
fleet='a b c d'

# shellcheck disable=SC2086 # names
hosts $fleet
for h in $fleet; do
	known "$h"
	on "$h" 'cat >/usr/local/sbin/sync && chmod 755 /usr/local/sbin/sync &&
		mkdir /var/aim && /bin/sync -f /var/aim' <<'END'
#!/bin/sh
case $* in */var/log/marks) exec /bin/sync "$@" ;; esac
test -s /var/aim/at || exec /bin/sync "$@"
read -r n when what </var/aim/at
n=$((n - 1))
echo "$n $when $what" >/var/aim/new && mv /var/aim/new /var/aim/at
test "$n" -eq 0 || exec /bin/sync "$@"
rm /var/aim/at
test "$when" = before || /bin/sync "$@"
test "$*" != events || set -- events "($(tail -n 1 events | cut -d ' ' -f 3-4))"
echo "$when sync $*" >/var/aim/hit
test "$what" = power || kill -KILL "$PPID"
: >/dev/shm/cut.here
test "$what" = power || exit 1
exec sleep 1000
END
done

change cuts <<'END'
steps:
  - name: first
    unless: |
      date >"$KEEP/kept"
      false
    run: mark run
    undo: mark undo
  - name: reboot
    reboot: {timeout: 2m}
  - name: second
    run: mark run
    undo: mark undo
  - name: fails
    run: |
      mark run
      false
    undo: mark undo
END

# --- what comes after a cut -----------------------------------------------------

is_final() {
	case $(status_of "$1") in
	succeeded | rolled-back | failed) ;;
	*) return 1 ;;
	esac
}
# HOST ID: it stands there, or no such sync came
cut_or_final() {
	on "$1" 'test -e /dev/shm/cut.here' || is_final "$2"
}
all_final() {
	hurry
	run_
	for i in $ids; do
		is_final "${i#*:}" || return 1
	done
}

# No effect twice; the last first in undoing; and what the tower says is so.  A
# step whose start was written and that never came to run may be undone.
sound() {	# sound HOST ID
	on "$1" 'cat /var/log/marks' | sed -n "s/^$2 //p" >"$work/did"
	r=0
	judge "$1" "$2" || r=1
	[ "$r" -eq 0 ] || {
		cat "$work/did"
		towerify-queue show "$2"
		towerify-queue why "$2"
	}
	return "$r"
}
judge() {
	twice=$(sort "$work/did" | uniq -d)
	[ -z "$twice" ] || { echo "twice: $twice"; return 1; }
	sed -n 's/ run$//p' "$work/did" >"$work/ran"
	sed -n 's/ undo$//p' "$work/did" >"$work/undone"
	sort -c "$work/ran" && sort -rc "$work/undone" || return 1
	sort "$work/undone" >"$work/sorted"
	case $(status_of "$2") in
	rolled-back)
		comm -23 "$work/ran" "$work/sorted" >"$work/left"
		! grep . "$work/left" && host_is "$1" ready
		;;
	failed)
		towerify-queue show -J "$2" |
			jq -e '[.steps[].undo] | index("interrupted")' &&
			host_is "$1" held 'change *' &&
			towerify-host -q release "$1"
		;;
	*)
		return 1
		;;
	esac
}

# --- one on each host --------------------------------------------------------------

# It may be between two boots.
aim() {	# aim HOST N before|after power|kill
	within 60 on "$1" "rm -f /var/aim/*; echo '$2 $3 $4' >/var/aim/at"
}
hit_of() {
	on "$1" 'cat /var/aim/hit' 2>/dev/null || :
}

cut=0
cut_round() {	# cut_round power|kill N:WHEN…, up to one for each host
	how=$1
	shift
	ids=
	for h in $fleet; do
		[ $# -gt 0 ] || break
		aim "$h" "${1%:*}" "${1#*:}" "$how"
		add "$h" "$work/cuts.yaml"
		ids="$ids $h:$id"
		shift
	done
	run_bg
	if [ "$how" = power ]; then
		off=
		for i in $ids; do
			within 120 cut_or_final "${i%:*}" "${i#*:}" || :
		done
		for i in $ids; do
			h=${i%:*}
			! on "$h" 'test -e /dev/shm/cut.here' || off="$off $h"
			hit_of "$h" >"$work/hit.$h"
		done
		for h in $off; do
			rig kill "$h"
		done
		detach
		for h in $off; do
			rig start "$h"
		done
		for h in $off; do
			rig wait -b 2 "$h"
			# nothing acts there by itself
			within 60 on "$h" 'rm -f /var/aim/*'
			[ -z "$long" ] || aim "$h" \
				$((1 + (cut + $(wc -c <"$work/hit.$h")) % 9)) \
				after kill
		done
	else
		pass_ends
	fi
	within 180 all_final || :
	for i in $ids; do
		h=${i%:*}
		[ "$how" = power ] || hit_of "$h" >"$work/hit.$h"
		[ ! -s "$work/hit.$h" ] || cut=$((cut + 1))
		ok "$how, $(cat "$work/hit.$h")" sound "$h" "${i#*:}"
		within 60 on "$h" 'rm -f /var/aim/*'
	done
}

# How many are there?  With a leave, as all that follow.
for h in $fleet; do
	aim "$h" 1000 after kill
	add "$h" "$work/cuts.yaml"
done
run_
all=$(on a 'read -r n _ </var/aim/at; echo $((1000 - n))')
echo "# $all syncs, and one in taking leave"
all=$((all + 1))
ok 'there are as many as the events want' test "$all" -gt 9
ok 'without a cut' sound a 1
for h in b c d; do
	towerify-host -q check "$h" >/dev/null
done

cut_points() {	# one in each quarter, or all
	n=0
	while [ "$n" -lt $((all * 2)) ]; do
		case $((n % 2)) in
		0) echo "$((n / 2 + 1)):before" ;;
		*) echo "$((n / 2 + 1)):after" ;;
		esac
		n=$((n + 1))
	done >"$work/points"
	if [ -n "$long" ]; then
		cat "$work/points"
		return
	fi
	quarter=$((all * 2 / 4))
	i=0
	for n in $(random 8 "$quarter" | tail -n +"$1" | head -n 4); do
		sed -n "$((quarter * i + n + 1))p" "$work/points"
		i=$((i + 1))
	done
}
for how in power kill; do
	# shellcheck disable=SC2046 # words
	case $how in
	power) set -- $(cut_points 1) ;;
	kill) set -- $(cut_points 5) ;;
	esac
	before=$cut
	while [ $# -gt 0 ]; do
		cut_round "$how" "$1" ${2:+"$2"} ${3:+"$3"} ${4:+"$4"}
		shift "$(($# < 4 ? $# : 4))"
	done
	echo "# figures: $((cut - before)) cuts of real hosts ($how)"
	ok "$how: it was cut" test "$cut" -gt $((before + 2))
done

# --- can it be found? -----------------------------------------------------------------

on a 'tail -n 1 /var/log/marks >>/var/log/marks'
ok 'planted: an effect that came twice is found' eval \
	'! sound a "$(on a "tail -n 1 /var/log/marks" | cut -d " " -f 1)"'

leave
