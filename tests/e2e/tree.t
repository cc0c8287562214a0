#!/bin/sh
# tree.t - which processes outlive their step: none after a timeout, a cancel
# or a failure, whatever they do; a daemon after success
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 1

# What a nasty step leaves behind: a child, one in a session of its own, one that
# ignores TERM, one of that kind two levels down, orphaned.  They write their
# pids before "here" appears, and hold the output open.
cat >"$home/nasty" <<'END'
#!/bin/sh
cd "$HOME" || exit
sleep 1000 &
echo "$!" >plain.pid
setsid sh -c 'echo "$$" >setsid.pid; exec sleep 1000' &
sh -c 'trap "" TERM INT HUP; echo "$$" >deaf.pid
	while :; do sleep 0.2; done' &
sh -c 'setsid sh -c "trap \"\" TERM INT HUP; echo \$\$ >orphan.pid
	while :; do sleep 0.2; done" & exit' &
until test -s plain.pid -a -s setsid.pid -a -s deaf.pid -a -s orphan.pid; do
	sleep 0.02
done
: >nasty.here
END
chmod 755 "$home/nasty"

forget() {
	rm -f "$home"/*.pid "$home/nasty.here" "$log"
}

all_gone() {
	for name in plain setsid deaf orphan; do
		read -r pid <"$home/$name.pid" || return 1
		ended "$pid" || { echo "$name lives: $pid"; return 1; }
	done
}

all_there() {
	for name in plain setsid deaf orphan; do
		read -r pid <"$home/$name.pid"
		! ended "$pid" || { echo "$name is gone: $pid"; return 1; }
	done
}

# The undo sees what is left of the run: nothing, already.
change timeout <<'END'
steps:
  - name: before
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: hangs
    run: |
      "$HOME/nasty"
      trap '' TERM
      while :; do sleep 0.1; done
    undo: |
      for f in "$HOME"/*.pid; do
          read -r pid <"$f"
          ! grep -q . "/proc/$pid/environ" || "$HOME/mark" "still: $f"
      done
      "$HOME/mark" undo
    timeout: 2s
END
add h1 "$work/timeout.yaml"
run_
ok 'timeout: the change is rolled back' test "$status" -eq 3
ok '... and says so' reason_is "$id" "step 2 'hangs': run timed-out"
ok '... steps' steps_are "$id" 'done/done timed-out/done'
ok '... every process of it is gone, before the undo began' log_is \
	"h1 $id 1 run
h1 $id 2 undo
h1 $id 1 undo"
ok '... and after' all_gone

forget
change cancel <<'END'
steps:
  - name: before
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: goes on and on
    run: |
      "$HOME/nasty"
      while :; do sleep 0.1; done
    undo: '"$HOME/mark" undo'
  - name: never
    run: '"$HOME/mark" run'
    undo: nothing
END
add h1 "$work/cancel.yaml"
run_bg
until_ test -e "$home/nasty.here"
towerify-queue -q cancel "$id"
run_ends
ok 'cancel: the change is rolled back' test "$status" -eq 3
ok '... cancelled by' reason_is "$id" "cancelled by $me"
ok '... steps' steps_are "$id" 'done/done interrupted/done waiting/-'
ok '... every process of it is gone' all_gone
ok '... undone once' log_is "h1 $id 1 run
h1 $id 2 undo
h1 $id 1 undo"

# Nobody runs a pass: the cancel is passed on by the next one.
forget
add h1 "$work/cancel.yaml"
run_bg
until_ test -e "$home/nasty.here"
kill -TERM "$runner"
run_ends
ok 'a detached runner leaves the step alone' all_there
towerify-queue -q cancel "$id"
run_
ok 'a cancel between passes is passed on' test "$status" -eq 3
ok '... every process of it is gone' all_gone

forget
change fails <<'END'
steps:
  - name: leaves things behind, and fails
    run: |
      "$HOME/nasty"
      false
    undo: '"$HOME/mark" undo'
END
add h1 "$work/fails.yaml"
run_
ok 'failure: rolled back' status_is "$id" rolled-back
ok '... what the failed step has left is gone' all_gone

# A check that hangs, and an undo that does.
forget
change check <<'END'
steps:
  - name: hangs
    check: |
      "$HOME/nasty"
      sleep 1000
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
    timeout: 1s
END
add h1 "$work/check.yaml"
run_
ok 'a check that hangs' steps_are "$id" 'timed-out/-'
ok '... nothing ran' log_is ''
ok '... every process of it is gone' all_gone

forget
change undo <<'END'
steps:
  - name: fails
    run: 'false'
    undo: |
      "$HOME/nasty"
      sleep 1000
    timeout: 1s
END
add h1 "$work/undo.yaml"
run_
ok 'an undo that hangs: failed' test "$status" -eq 4
ok '... steps' steps_are "$id" 'failed/timed-out'
ok '... every process of it is gone' all_gone
towerify-host -q release h1

# --- after success what is left running stays --------------------------------------

# Even when it holds the output open: the step ends when its shell does.
forget
change daemon <<'END'
steps:
  - name: starts things
    run: |
      echo started
      "$HOME/nasty"
    undo: nothing
  - name: goes on
    run: '"$HOME/mark" second'
    undo: nothing
END
add h1 "$work/daemon.yaml"
run_
ok 'success: the step ends when its shell ends' status_is "$id" succeeded
ok '... with its output' sh -c 'towerify-queue log "$1" |
	grep -qx started' sh "$id"
ok '... the next one ran' log_is "h1 $id 2 second"
ok '... what it left running is left alone' all_there
towerify-host -q check h1 >"$work/out"
ok '... also when the job is gone' all_there
sshd_sessions "$work/sshd"
ok '... and the session' all_there
for name in plain setsid deaf orphan; do
	read -r pid <"$home/$name.pid"
	kill -KILL "$pid"
done

leave
