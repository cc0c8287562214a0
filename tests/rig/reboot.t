#!/bin/sh
# reboot.t - steps that reboot the host
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

hosts good bad never small
known good
known bad
known never
known sudo deploy@small --sudo

# Two reboots, and what lies between them.
change good <<'END'
steps:
  - name: first
    run: mark run
    undo: mark undo
  - name: reboot
    reboot: {timeout: 1m}
  - name: between
    run: |
      mark run
      cat /proc/sys/kernel/random/boot_id
    undo: mark undo
  - name: reboot again
    reboot: {timeout: 1m}
  - name: last
    run: |
      mark run
      cat /proc/sys/kernel/random/boot_id
    undo: mark undo
END
change bad <<'END'
steps:
  - name: first
    run: |
      mark run
      cat /proc/sys/kernel/random/boot_id >"$KEEP/boot"
    undo: |
      test "$(cat "$KEEP/boot")" != "$(cat /proc/sys/kernel/random/boot_id)"
      mark undo
  - name: reboot
    reboot: {timeout: 1m}
  - name: fails
    run: |
      mark run
      exit 7
    undo: mark undo
END
change never <<'END'
steps:
  - name: first
    run: mark run
    undo: mark undo
  - name: reboot
    reboot: {timeout: 4s}
  - name: after
    run: mark run
    undo: mark undo
END
change next <<'END'
steps:
  - name: next
    run: mark run
    undo: nothing
END

# A program of the site's comes first: here, one that does not reboot.
on never 'printf "#!/bin/sh\nmark reboot\n" >/usr/local/sbin/reboot
	chmod 755 /usr/local/sbin/reboot'

for h in good bad never sudo; do
	case $h in
	sudo) add "$h" "$work/good.yaml" ;;
	*) add "$h" "$work/$h.yaml" ;;
	esac
	add "$h" "$work/next.yaml"
done
run_bg -v
pass_ends
ok 'the pass ends with the worst of them' test "$status" -eq 3

for h in good sudo; do
	id=1 host=good how=good
	[ "$h" = good ] || id=7 host=small how='by sudo'
	ok "$how: succeeded" status_is "$id" succeeded
	ok '... steps' steps_are "$id" 'done/- done/- done/- done/- done/-'
	ok '... each once, over three boots' marks_are "$host" "$id 1 run
$id 3 run
$id 5 run
$((id + 1)) 1 run"
	ok '... and no more boots' test "$(rig boots "$host")" -eq 3
	towerify-queue log "$id" | grep -x '[0-9a-f-]\{36\}' >"$work/boots" || :
	ok '... a new boot id after each' test \
		"$(sort -u "$work/boots" | wc -l)" -eq 2
	ok '... the second is that of now' test "$(tail -n 1 "$work/boots")" = \
		"$(on "$host" 'cat /proc/sys/kernel/random/boot_id')"
	ok '... decided by the reboot' test "$(towerify-queue show -J "$id" |
		jq -r '[.steps[].decided] | join(" ")')" = \
		'run reboot run reboot run'
	ok '... the queue goes on' status_is "$((id + 1))" succeeded
done

ok 'a failure after the reboot: rolled back' status_is 3 rolled-back
ok '... steps' steps_are 3 'done/done done/- failed/done'
ok '... why' reason_is 3 "step 3 'fails': run failed, exit status 7"
ok '... in a boot later than the run, once' marks_are bad "3 1 run
3 3 run
3 3 undo
3 1 undo
4 1 run"
ok '... one reboot' test "$(rig boots bad)" -eq 2
ok '... the queue goes on' status_is 4 succeeded

ok 'a reboot that never comes: rolled back' status_is 5 rolled-back
ok '... steps' steps_are 5 'done/done timed-out/- waiting/-'
ok '... why' reason_is 5 "step 2 'reboot': reboot timed-out"
ok '... asked for once' marks_are never "5 1 run
5 2 reboot
5 1 undo
6 1 run"
ok '... the queue goes on' status_is 6 succeeded

for h in good bad never sudo; do
	ok "$h: is not held" host_is "$h" ready
done

# Without root nobody may reboot; the step says so at once.
known plain plain@small
add plain "$work/never.yaml"
run_
ok 'without root: rolled back' status_is "$id" rolled-back
ok '... steps' steps_are "$id" 'done/done failed/- waiting/-'
ok '... the host was not rebooted' test "$(rig boots small)" -eq 3
ok '... and was asked by somebody who may not' sh -c \
	"towerify-queue log $id | grep -q 'Access denied'"

# While a host goes down or comes up it lets in nobody but root (pam_nologin):
# no reason to hold it.
known ssh deploy@small --sudo --transport ssh
on small 'echo "System is going down." >/run/nologin'
for h in plain sudo ssh; do
	add "$h" "$work/next.yaml"
done
run_bg
failed_once() {
	towerify-host show -J "$1" |
		jq -e '.last_error != null and .held_reason == null'
}
passes() {	# until the host's next attempt is due, and made
	run_
	host_is "$1" ready
}
for h in plain sudo ssh; do
	ok "$h: nobody may log in: that is temporary" within 20 failed_once "$h"
done
on small 'rm /run/nologin'
pass_ends
for h in plain sudo ssh; do
	ok "$h: and then over" within 30 passes "$h"
done

leave
