#!/bin/sh
# network.t - hosts that are cut off, unreachable, or suddenly others
#
# A cut host is cut until the tower has noticed; with TOWERIFY_LONG_TESTS set,
# for a minute at least, and with the limits that are usual.
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

long=${TOWERIFY_LONG_TESTS:-}
if [ -z "$long" ]; then
	# not less than the 10 s between two beats
	TOWERIFY_LINK_TIMEOUT_MS=12000
	export TOWERIFY_LINK_TIMEOUT_MS
fi

hosts cut dead fine other
for h in cut dead fine other; do
	known "$h"
done

change speaks <<'END'
steps:
  - name: speaks
    run: |
      mark run
      i=0
      until test -e /dev/shm/stop.go; do
          i=$((i + 1))
          echo "$i" | tee /dev/shm/at
          sleep 0.05
      done
    undo: mark undo
  - name: second
    run: mark run
    undo: mark undo
END
change next <<'END'
steps:
  - name: next
    run: |
      mark run
      block now
    undo: nothing
END

# --- cut off in mid-step, while one is out of reach and others work ---

rig cut dead
add 'cut' "$work/speaks.yaml"
add dead "$work/next.yaml"
add fine "$work/next.yaml"
add fine "$work/next.yaml"
add cut "$work/next.yaml"
run_bg -v
speaks() {
	test "$(on cut 'cat /dev/shm/at')" -gt "$1"
}
ok 'a step speaks' within 20 speaks 10
rig cut cut
since=$(date +%s)
at=$(on cut 'cat /dev/shm/at')
go fine now
ok 'others go on' within 20 status_is 3 succeeded
ok '... with all they have' within 20 status_is 4 succeeded
noticed() {
	towerify-host show -J "$1" | jq -e '.last_error != null'
}
ok 'one that is out of reach is noticed' within 60 noticed dead
ok '... and reported' grep -q 'host=dead .*cannot connect' "$work/err"
ok 'one that is cut off in mid-change is noticed' within 120 noticed 'cut'
[ -z "$long" ] || until [ $(($(date +%s) - since)) -gt 60 ]; do sleep 1; done
ok '... it goes on by itself' speaks $((at + 40))
ok '... the tower says that it runs' status_is 1 running
rig join cut
rig join dead
go cut stop
go cut now
go dead now
pass_ends
ok 'joined, the pass ends well' test "$status" -eq 0
for id in 1 5; do
	ok "... change $id" status_is "$id" succeeded
done
reached() {	# a pass waits for a host in mid-change, not for one to come
	run_
	status_is 2 succeeded
}
ok '... the host out of reach is reached in its turn' within 120 reached
ok '... its steps ran once, in order' marks_are 'cut' "1 1 run
1 2 run
5 1 run"
last=$(on cut 'cat /dev/shm/at')
heard_all() {
	towerify-queue log 1 | grep '^[0-9][0-9]*$' >"$work/heard"
	seq "$1" | cmp - "$work/heard"
}
ok '... its output is whole' heard_all "$last"
ok '... the host out of reach did its change once' marks_are dead "2 1 run"
for h in cut dead fine; do
	ok "$h: no job is left" spool_is_empty "$h"
	ok "$h: no unit, process or control group" within 20 idle "$h"
done

# --- another host, same address ---

# What a restored backup brings along.
on other 'tar -C / -cf - etc/ssh/ssh_host_ed25519_key \
	etc/ssh/ssh_host_ed25519_key.pub' >"$work/keys.tar"
on other 'tar -C / -cf - var/spool/towerify' >"$work/spool.tar"
old=$(fingerprint_of other)
restore() {
	on other 'tar -C / -xf - && systemctl restart ssh' <"$1" &&
		rig wait other
}

rig down other
hosts other
address=$(rig addr other)
[ "$(towerify-host show -J other | jq -r .address)" = "$address" ] ||
	towerify-host -q set other "address=$address"
add other "$work/next.yaml"
first=$id
run_
ok 'another host key: held' host_is other held 'HOST KEY HAS CHANGED*'
ok '... and said aloud' grep -q 'HOST KEY HAS CHANGED' "$work/err"
ok '... its change waits' status_is "$first" held
ok '... nothing was done there' on other "test ! -e $spool"
ok '... the pass says that a person must act' test "$status" -ne 0
restore "$work/keys.tar"
ok 'the old key is back' test "$old" = \
	"$(on other 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key' |
		cut -d ' ' -f 2)"
towerify-host -q release other
run_
ok 'the same key without the spool: held' \
	host_is other held 'spool lost or host replaced: absent*'
ok '... nothing was done there' marks_are other ''
restore "$work/spool.tar"
towerify-host -q release other
run_
ok 'the spool of another machine: held' host_is other held \
	"spool lost or host replaced: different: $spool was made on another machine"
ok '... nothing was done there' marks_are other ''
ok '... its change waits' status_is "$first" running
ok '... and why' sh -c "towerify-queue why $first |
	grep -q 'its host has not taken it yet; other is held'"

# A person accepts it: the old spool is put aside.
on other "rm -rf $spool"
towerify-host -q set other spool-id=accept
towerify-host -q release other
go other now
run_
ok 'accepted, it goes on' status_is "$first" succeeded
ok '... once' marks_are other "$first 1 run"

# --- a host goes while it has a change ---

forget other
add other "$work/next.yaml"
run_bg
ok 'a step runs' here other now
detach
rig down other
hosts other
address=$(rig addr other)
restore "$work/keys.tar"
[ "$(towerify-host show -J other | jq -r .address)" = "$address" ] ||
	towerify-host -q set other "address=$address"
run_
ok 'replaced in mid-change: held' \
	host_is other held 'spool lost or host replaced: absent*'
ok '... the change is not over' status_is "$id" running
ok '... nothing was done there' marks_are other ''

leave
