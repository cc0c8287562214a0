#!/bin/sh
# systemd.t - the executor as a transient service: its unit, its control
# group, login sessions; apt packages; and users who may not become root
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

hosts one two
known root root@one
known sudo deploy@two --sudo
known plain plain@two
all='root sudo plain'
host_of() {
	case $1 in root) echo one ;; *) echo two ;; esac
}

# --- the unit ---

change unit <<'END'
steps:
  - name: looks
    run: |
      echo "uid $(id -u) home $HOME"
      grep ^0:: /proc/self/cgroup
      block "$TOWERIFY_HOST"
    undo: nothing
END
for h in $all; do
	add "$h" "$work/unit.yaml"
done
run_bg
for h in $all; do
	ok "$h: a step runs" here "$(host_of "$h")" "$h"
done
is_service() {	# is_service HOST UNIT
	have=$(on "$1" "systemctl show -p ActiveState,SubState,KillMode \
		-p Delegate,CollectMode $2" | sort | tr '\n' ' ')
	[ "$have" = 'ActiveState=active CollectMode=inactive-or-failed '\
'Delegate=yes KillMode=process SubState=running ' ] || {
		echo "$have"
		return 1
	}
}
for h in root sudo; do
	on=$(host_of "$h")
	u=$(unit "$on")
	ok "$h: its executor is a service" is_service "$on" "$u"
	ok '... which is that process' on "$on" \
		"read _ pid _ <\$(echo $spool/jobs/*/pid)
		test \$(systemctl show -P MainPID $u) = \$pid"
	ok '... the step has a control group in its own' on "$on" "
		cd /sys/fs/cgroup/system.slice/$u/1 && read p <cgroup.procs &&
		tr '\\0' '\\n' </proc/\$p/environ | grep -q ^TOWERIFY_TAG="
	go "$on" "$h"
done
ok 'plain: there is no unit, there is a process' on two '
	set -- /home/plain/.local/state/towerify-spool/jobs/*/pid
	read _ pid _ <"$1" && ! grep towerify- "/proc/$pid/cgroup" &&
	tr "\0" " " <"/proc/$pid/cmdline" | grep -q "executor run "'
ok '... in a session of its own' on two '
	set -- /home/plain/.local/state/towerify-spool/jobs/*/pid
	read _ pid _ <"$1"
	set -- $(cat "/proc/$pid/stat")
	test "$6" = "$pid"'
ok '... and a spool of its own' test "$(on two '
	stat -c "%U %a" /home/plain/.local/state/towerify-spool')" = 'plain 700'
go two plain
pass_ends
ok 'all end well' test "$status" -eq 0
said() {
	have=$(towerify-queue log "$1" | tail -n +2)
	# shellcheck disable=SC2254 # a pattern
	case $have in $2) return ;; esac
	echo "$have"
	return 1
}
ok 'root: steps run as' said 1 "uid 0 home /root
0::/system.slice/towerify-????????????????????????????????.service/1"
ok 'sudo: steps run as' said 2 "uid 0 home /root
0::/system.slice/towerify-????????????????????????????????.service/1"
ok 'plain: steps run as' said 3 "uid 100? home /home/plain
0::/*"
for h in one two; do
	ok "$h: unit and control group are gone" within 10 idle "$h"
done

# --- what a step leaves ---

# Two that have neither its environment nor its session, one of them deaf, both
# orphans; their pids are in /dev/shm/pids.USER.  Without root and systemd only
# the environment can tell: there they keep it.
for h in one two; do
	on "$h" 'cat >/usr/local/bin/nasty && chmod 755 /usr/local/bin/nasty' <<'END'
#!/bin/sh
clear='env -i'
test "$(id -u)" -eq 0 || clear=
pids=/dev/shm/pids.$(id -un)
: >"$pids"
$clear /usr/bin/setsid /bin/sh -c 'echo $$ >>"$0"; exec /bin/sleep 1000' \
    "$pids" </dev/null >/dev/null 2>&1 &
$clear /usr/bin/setsid /bin/sh -c 'trap "" TERM HUP; echo $$ >>"$0"
while :; do /bin/sleep 0.2; done' "$pids" </dev/null >/dev/null 2>&1 &
until test "$(wc -l <"$pids")" -eq 2; do sleep 0.02; done
END
done
alive() {	# how many of them, on host $1, of user $2
	on "$1" "n=0; while read -r p; do
		! test -e /proc/\$p/cwd || n=\$((n + 1))
	done </dev/shm/pids.$2; echo \$n"
}
user_of() {
	case $1 in plain) echo plain ;; *) echo root ;; esac
}
change leaves <<'END'
params:
  then: {type: string, required: true}
steps:
  - name: before
    run: |
      mark run
      nasty
    undo: |
      for p in $(cat "/dev/shm/pids.$(id -un)"); do kill -KILL "$p" || :; done
      mark undo
  - name: leaves
    run: |
      mv "/dev/shm/pids.$(id -un)" /dev/shm/daemons."$TOWERIFY_HOST"
      mark run
      nasty
      block "$TOWERIFY_HOST"
      test "$then" = success
    undo: |
      for p in $(cat "/dev/shm/pids.$(id -un)"); do
          test ! -d "/proc/$p" || mark left
      done
      for p in $(cat "/dev/shm/daemons.$TOWERIFY_HOST"); do
          test -d "/proc/$p" || mark gone
      done
      mv /dev/shm/daemons."$TOWERIFY_HOST" "/dev/shm/pids.$(id -un)"
      mark undo
    timeout: 5s
END
expect() {	# expect ID HOST STATE
	ok "$2: rolled back" status_is "$1" rolled-back
	ok '... steps' steps_are "$1" "done/done $3/done"
	ok '... what it had left was gone before its undo, the other not' \
		test "$(on "$(host_of "$2")" "grep '^$1 ' /var/log/marks")" = \
		"$1 1 run
$1 2 run
$1 2 undo
$1 1 undo"
	ok '... no such process is left' test \
		"$(alive "$(host_of "$2")" "$(user_of "$2")")" -eq 0
}
ids=
forget one
forget two
for h in $all; do
	add "$h" "$work/leaves.yaml" -p then=timeout
	ids="$ids $id"
done
run_
ok 'timeout: the pass says so' test "$status" -eq 3
# shellcheck disable=SC2086 # numbers
set -- $ids
for h in $all; do
	expect "$1" "$h" timed-out
	shift
done
for h in one two; do
	ok "$h: unit and control group are gone" within 10 idle "$h"
done

ids=
forget one
forget two
for h in $all; do
	add "$h" "$work/leaves.yaml" -p then=cancel
	ids="$ids $id"
done
run_bg
for h in $all; do
	here "$(host_of "$h")" "$h"
done
# shellcheck disable=SC2086 # numbers
towerify-queue -q cancel $ids
pass_ends
ok 'cancel: the pass says so' test "$status" -eq 3
# shellcheck disable=SC2086 # numbers
set -- $ids
for h in $all; do
	expect "$1" "$h" interrupted
	shift
done
for h in one two; do
	ok "$h: unit and control group are gone" within 10 idle "$h"
done

# After success all that was left running stays; the service's end, the end of
# the job and a later failure leave it alone.
ids=
forget one
forget two
for h in $all; do
	add "$h" "$work/leaves.yaml" -p then=success
	ids="$ids $id"
	go "$(host_of "$h")" "$h"
done
run_
ok 'success: the pass says so' test "$status" -eq 0
change fails <<'END'
steps:
  - name: fails
    run: 'false'
    undo: mark undo
END
for h in $all; do
	towerify-host -q check "$h" >"$work/out"
	add "$h" "$work/fails.yaml"
done
run_
left_alone() {	# left_alone NAME FILE
	on "$(host_of "$1")" "test \$(wc -l <$2) = 2 || exit
		while read -r p; do test -e /proc/\$p/cwd || exit; done <$2"
}
for h in $all; do
	ok "$h: what the steps had left is left alone" left_alone "$h" \
		"/dev/shm/daemons.$h"
	ok '... all of it' left_alone "$h" "/dev/shm/pids.$(user_of "$h")"
done
ok 'the unit stays as long as they do, inactive' on one '
	systemctl list-units --all --plain --no-legend "towerify-*" |
	    grep -v " loaded inactive dead "
	test $? -eq 1'
for h in one two; do
	on "$h" 'kill -KILL $(cat /dev/shm/pids.* /dev/shm/daemons.*)'
	ok "$h: and goes with them, and its control group" within 10 idle "$h"
done

# The executor alone is killed; its unit, with the step still in it, is there
# when the next one comes.
change killed <<'END'
steps:
  - name: first
    run: |
      mark run
      nasty
    undo: |
      for p in $(cat "/dev/shm/daemons.$TOWERIFY_HOST"); do
          test -d "/proc/$p" && kill -KILL "$p" || mark gone
      done
      mark undo
  - name: goes on
    run: |
      mv "/dev/shm/pids.$(id -un)" "/dev/shm/daemons.$TOWERIFY_HOST"
      mark run
      nasty
      block "$TOWERIFY_HOST"
    undo: |
      for p in $(cat "/dev/shm/pids.$(id -un)"); do
          test ! -d "/proc/$p" || mark left
      done
      mark undo
END
ids=
forget one
forget two
for h in $all; do
	add "$h" "$work/killed.yaml"
	ids="$ids $id"
done
run_bg
for h in $all; do
	here "$(host_of "$h")" "$h"
done
for h in $all; do
	on "$(host_of "$h")" 'read _ pid _ <$(echo '"$(
		case $h in plain) echo /home/plain/.local/state/towerify-spool ;;
		*) echo "$spool" ;; esac)"'/jobs/*/pid) && kill -KILL "$pid"'
done
pass_ends
ok 'the executor killed: the pass says so' test "$status" -eq 3
# shellcheck disable=SC2086 # numbers
set -- $ids
for h in $all; do
	expect "$1" "$h" interrupted
	shift
done
for h in one two; do
	ok "$h: unit and control group are gone" within 10 idle "$h"
done

# --- login sessions ---

change speaks <<'END'
steps:
  - name: speaks
    run: |
      mark run
      for i in $(seq 1 30000); do echo "$i"; done
      block "$TOWERIFY_HOST.1"
      for i in $(seq 30001 60000); do echo "$i"; done
      block "$TOWERIFY_HOST.2"
    undo: mark undo
END
# What an administrator ends when he ends all that is logged in; the daemon is
# known by its unit.
end_logins() {
	on "$1" 'for p in /proc/[0-9]*; do
		case $(tr "\0" " " 2>/dev/null <"$p/cmdline") in
		"sshd: root"*|"sshd: deploy"*|"sshd: plain"*)
			kill -KILL "${p#/proc/}" ;;
		esac
	done
	systemctl restart ssh'
}
heard_all() {
	towerify-queue log "$1" | grep '^[0-9][0-9]*$' >"$work/heard"
	seq 60000 | cmp - "$work/heard"
}
speak() {	# speak TEXT FUNCTION
	ids=
	forget one
	forget two
	for h in $all; do
		add "$h" "$work/speaks.yaml"
		ids="$ids $id"
	done
	run_bg
	for h in $all; do
		here "$(host_of "$h")" "$h.1"
	done
	"$2" one
	"$2" two
	for h in $all; do
		go "$(host_of "$h")" "$h.1"
		here "$(host_of "$h")" "$h.2"
		go "$(host_of "$h")" "$h.2"
	done
	pass_ends
	ok "$1: the pass goes on" test "$status" -eq 0
	# shellcheck disable=SC2086 # numbers
	set -- $ids
	for h in $all; do
		ok "$h: succeeded" status_is "$1" succeeded
		ok '... ran once' test "$(on "$(host_of "$h")" \
			"grep '^$1 ' /var/log/marks")" = "$1 1 run"
		ok '... its output is whole' heard_all "$1"
		shift
	done
}
speak 'sshd and its sessions are killed' end_logins

leave
