#!/bin/sh
# descendants.t - when a step is ended, so is all that came of it: by the
# process table of a real host
#
# A step leaves a descendant of each kind behind; each has the same word among
# its arguments, and nothing else in common with the step.  They end when the
# step is cancelled, times out or fails, when its undo or check does, when a
# life takes over, and when the host is rebooted in good order.  Without systemd
# those that clear their environment are not promised.
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

hosts one two
known root root@one
known sudo deploy@two --sudo
known plain plain@two
host_of() {
	case $1 in root) echo one ;; *) echo two ;; esac
}

# spread WORD: one descendant of each kind, and waits until all are there.  The
# shell forks, what it forks forks, and so on; perl does what daemon(3) does.
for h in one two; do
	on "$h" 'cat >/usr/local/bin/spread && chmod 755 /usr/local/bin/spread &&
		sync -f /usr/local/bin/spread' <<'END'
#!/bin/sh
w=descendant-$1
d=/dev/shm/$w.$(id -un)
rm -rf "$d" && mkdir "$d"
exec </dev/null >/dev/null 2>&1
# stay KIND [COMMAND BEFORE IT…]: and says that it is there
cat >"$d/stay" <<'STAY'
/bin/touch "$(/usr/bin/dirname "$0")/$2.here"
case $2 in *deaf) trap '' TERM HUP INT QUIT ;; esac
while :; do /bin/sleep 0.3; done
STAY
stay() {
	kind=$1
	shift
	"$@" /bin/sh "$d/stay" "$w" "$kind" &
}
daemon='use POSIX; fork and exit; POSIX::setsid(); fork and exit;
	chdir "/"; POSIX::close($_) for 0..20; exec @ARGV'
stay child
(stay orphan)
( ( (stay grandchild) & ) & )
stay nohup nohup
stay deaf
stay setsid setsid
stay forked setsid -f
(stay setsid-deaf setsid -f)
stay daemon perl -e "$daemon"
stay tagged-argv perl -e 'exec { $ARGV[0] } "kworker/0:1", @ARGV[1..$#ARGV]'
# one that is never the same process for long; no list shows it for certain
setsid /bin/sh -c ': >"$1/hopping.here"
	hop() { sleep 0.1; echo >>"$1/hops"; (hop "$1") & exit; }
	hop "$1"' "$w" "$d" &
# one that stands still
stay stopped
p=$!
until test -e "$d/stopped.here"; do sleep 0.02; done
kill -STOP "$p"
n=12
if test "$2" = all; then
	# nothing of the step is in their environment
	stay cleared env -i
	stay cleared-setsid env -i /usr/bin/setsid -f
	stay cleared-deaf env -i /usr/bin/setsid -f
	stay cleared-daemon env -i perl -e "$daemon"
	n=$((n + 4))
fi
if test "$(id -u)" -eq 0; then
	stay other-user setpriv --reuid=65534 --regid=65534 --clear-groups \
		env -i
	stay namespace env -i /usr/bin/unshare --pid --fork --mount --ipc \
		--uts --net
	for s in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		g=$s$(sed -n s/^0:://p /proc/self/cgroup)
		test ! -w "$g/cgroup.procs" || break
	done
	mkdir -p "$g/own/deeper" && stay own-group env -i /bin/sh -c '
		echo 0 >"$0/own/deeper/cgroup.procs"
		exec "$@"' "$g"
	n=$((n + 3))
	# it may not write there
	: >"$d/other-user.here"
fi
until set -- "$d"/*.here && test $# -eq "$n"; do sleep 0.05; done
END
done

# Those of WORD that are in the table of HOST's processes, zombies apart.
table() {	# table HOST WORD
	on "$1" 'for p in /proc/[0-9]*; do
		test "$p" != "/proc/$$" || continue
		a=$(tr "\0" " " 2>/dev/null <"$p/cmdline") || continue
		case $a in *" descendant-'"$2"' "*) echo "$p $a" ;; esac
	done'
}
hops() {	# does the one that changes all the time go on?
	on "$1" 'cd /dev/shm/descendant-'"$2"'.* && n=$(wc -c <hops) &&
		sleep 1 && test "$(wc -c <hops)" -gt "$n"'
}
none_left() {
	table "$1" "$2" >"$work/table"
	[ ! -s "$work/table" ] || { cat "$work/table"; return 1; }
	! hops "$1" "$2" || { echo 'it hops'; return 1; }
}
are_there() {	# are_there HOST WORD: N at least
	hops "$1" "$2" || { echo 'it does not hop'; return 1; }
	table "$1" "$2" >"$work/table"
	[ "$(grep -c . "$work/table")" -ge "$3" ] || {
		cat "$work/table"
		return 1
	}
}

spread_change() {	# spread_change TIMEOUT
	change "spread-$1" <<END
params:
  how: {type: string, required: true}
  in: {type: string, required: true}
  which: {type: string, default: all}
steps:
  - name: before
    run: mark run
    undo: mark undo
  - name: spreads
    timeout: $1
    unless: |
      test "\$in" != check || {
          spread "\$TOWERIFY_HOST-\$how-\$in" "\$which"
          block "\$TOWERIFY_HOST.\$how.\$in"
      }
      false
    run: |
      mark run
      test "\$in" != run || {
          spread "\$TOWERIFY_HOST-\$how-\$in" "\$which"
          block "\$TOWERIFY_HOST.\$how.\$in"
          test "\$how" != fail || exit 1
      }
    undo: |
      mark undo
      test "\$in" != undo || {
          spread "\$TOWERIFY_HOST-\$how-\$in" "\$which"
          block "\$TOWERIFY_HOST.\$how.\$in"
          exit 1
      }
  - name: fails
    run: 'false'
    undo: nothing
END
}
spread_change 10m
spread_change 20s

# begins HOW IN NAMES: filed, and all that is spread is there; `spread' itself
# waits for that, so where a timeout runs the table need not be seen in time
begins() {
	ids=
	for n in $3; do
		which=all
		[ "$n" != plain ] || which=tagged
		limit=10m
		[ "$1" != timeout ] || limit=20s
		add "$n" "$work/spread-$limit.yaml" -p "how=$1" -p "in=$2" \
			-p "which=$which"
		ids="$ids $id"
	done
	run_bg
	for n in $3; do
		h=$(host_of "$n")
		case $n in plain) count=11 ;; *) count=19 ;; esac
		ok "$1 in $2, $n: there are descendants of every kind" \
			within 90 on "$h" "test -e /dev/shm/$n.$1.$2.here"
		[ "$1" = timeout ] || ok '... in the table' \
			within 30 are_there "$h" "$n-$1-$2" "$count"
	done
}
ends() {
	for n in $3; do
		ok "$1 in $2, $n: none is left" within 5 none_left \
			"$(host_of "$n")" "$n-$1-$2"
	done
}
done_are() {	# done_are STEPS: of each
	for i in $ids; do
		ok "... change $i" steps_are "$i" "$1"
	done
}

all='root sudo plain'
begins cancel run "$all"
# shellcheck disable=SC2086 # numbers
towerify-queue -q cancel $ids
pass_ends
ends cancel run "$all"
done_are 'done/done interrupted/done waiting/-'

# each by its own timeout, or by its own exit status
begins timeout run "$all"
pass_ends
ends timeout run "$all"
done_are 'done/done timed-out/done waiting/-'

begins fail run 'root plain'
go one root.fail.run
go two plain.fail.run
pass_ends
ends fail run 'root plain'
done_are 'done/done failed/done waiting/-'

begins timeout check 'root'
pass_ends
ends timeout check 'root'
done_are 'done/done timed-out/- waiting/-'

# An undo is not cancelled; it has its timeout, and ends in failure.
begins fail undo 'root'
# shellcheck disable=SC2086 # numbers
towerify-queue -q cancel $ids || :
ok 'fail in undo: a cancel leaves it alone' are_there one root-fail-undo 19
go one root.fail.undo
pass_ends
ends fail undo 'root'
done_are 'done/done done/failed failed/-'
towerify-host -q release root
begins timeout undo 'root plain'
pass_ends
ends timeout undo 'root plain'
done_are 'done/done done/timed-out failed/-'
for n in root plain; do
	towerify-host -q release "$n"
done

# Who takes over ends them, before the undo.
begins kill run "$all"
for n in $all; do
	on "$(host_of "$n")" 'read _ pid _ <$(echo '"$(
		case $n in plain) echo /home/plain/.local/state/towerify-spool ;;
		*) echo "$spool" ;; esac)"'/jobs/*/pid) && kill -KILL "$pid"'
done
pass_ends
ends kill run "$all"
done_are 'done/done interrupted/done waiting/-'

# Without root and systemd, what has cleared its environment escapes.
add plain "$work/spread-10m.yaml" -p how=escape -p in=run
run_bg
ok 'escape, plain: they are there' \
	within 90 on two 'test -e /dev/shm/plain.escape.run.here'
towerify-queue -q cancel "$id"
pass_ends
ok '... the others end' status_is "$id" rolled-back
table two plain-escape-run | sed 's/.* descendant-[^ ]* //' | sort -u \
	>"$work/table"
ok '... and only those that cleared it are left' eval \
	'test -s "$work/table" && ! grep -v "^cleared" "$work/table"'
echo "# without systemd, left: $(tr '\n' ' ' <"$work/table")"
on two 'for p in /proc/[0-9]*; do
	test "$p" != "/proc/$$" || continue
	case $(tr "\0" " " 2>/dev/null <"$p/cmdline") in
	*" descendant-plain-escape-run "*) kill -KILL "${p#/proc/}" ;;
	esac
done'
for h in one two; do
	ok "$h: unit and control group are gone" within 20 idle "$h"
done

leave
