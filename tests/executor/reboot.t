#!/bin/sh
# reboot.t - the reboot step, with a reboot that only changes the boot id
#
# In a mount namespace of its own: /usr/local/sbin holds a reboot command, and
# the boot id is a file of ours.
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
	echo '1..0 # SKIP not root, or no mount namespaces'
	exit 0
fi
[ "${1-}" = inside ] || exec unshare -m --propagation private sh "$0" inside
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

mount -t tmpfs none /usr/local/sbin
cat >/usr/local/sbin/reboot <<-END
	#!/bin/sh
	echo asked >>$work/reboots
	test ! -e $work/refuse
END
chmod +x /usr/local/sbin/reboot
boots=0
new_boot() {
	boots=$((boots + 1))
	echo "0000000$boots-0000-0000-0000-000000000000" >"$work/boot.$boots"
	mount --bind "$work/boot.$boots" /proc/sys/kernel/random/boot_id
}
new_boot
init

# The executor has asked for the reboot; then the host goes down.
go_down() {
	until_ test -s "$work/reboots"
	pid=$(executor)
	kill -TERM "$pid"
	until_ gone "$pid"
	wait "$sender" || :
	rm "$work/reboots"
}

new
does true true
step reboot 60; undo nothing
does "echo after >>$work/log"
start_bg
go_down
ok 'it waits for the reboot' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1'
new_boot
send resume
ok 'another boot id: done, and on' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; life 2; end 2 done reboot 0; start 3; run 3 1; end 3 done run 0; verdict succeeded'
ok 'asked for once' test ! -e "$work/reboots"
ok 'the next step ran once' lines 1 "$work/log"

new
does true true
step reboot 2; undo nothing
start
ok 'a reboot that never comes is timed out' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 timed-out reboot 0; undo 1; undone 1 done 0; verdict rolled-back'
rm "$work/reboots"

new
does true true
step reboot 3; undo nothing
start_bg
go_down
send resume
ok 'the same boot: waited for until its timeout' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; life 2; end 2 timed-out reboot 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'and not asked for again' test ! -e "$work/reboots"

new
does true true
step reboot 60; undo nothing
start_bg
go_down
new_boot
# as if the host had been up for less long than its clock was ahead
sed -i 's/^\(1 [0-9]* life 1 [^ ]*\) .*/\1 1000/' "$spool/jobs/$job/events"
send resume
ok 'a reboot that took longer than allowed' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; life 2; end 2 timed-out reboot 0; undo 1; undone 1 done 0; verdict rolled-back'

touch "$work/refuse"
new
step reboot 60; undo nothing
start
ok 'a command that fails fails the step' is 'life 1; start 1; run 1 1; end 1 failed reboot 1; verdict rolled-back'
rm "$work/refuse" "$work/reboots"

new
step reboot 60; undo nothing
start_bg
until_ test -s "$work/reboots"
kill -KILL "$(executor)"
wait "$sender" || :
rm "$work/reboots"
new_boot
send resume cancel=anna
ok 'a cancel meanwhile waits for the reboot' recorded 'life 1; start 1; run 1 1; life 2; end 1 done reboot 0; verdict succeeded'
finish
