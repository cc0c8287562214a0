#!/bin/sh
# confirm.t - steps that cut the tower off from a real host: the route, the
# interface, the sshd; the host undoes them by itself, and is seen to come back
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

hosts one two
for h in one two; do
	known "$h"
done
tower_of() {	# its address, as HOST sees it
	ip -4 route get "$(rig addr "$1")" |
		sed -n 's/.* src \([^ ]*\).*/\1/p'
}
tower=$(tower_of one)
link=$(on one "ip -4 route get $tower" | sed -n 's/.* dev \([^ ]*\).*/\1/p')
echo "# the tower is $tower, by $link"

# cuts NAME LIMIT DO UNDO: its second step does that to the host's way out
cuts() {
	change "$1" <<END
steps:
  - name: before
    run: mark run
    undo: mark undo
  - name: the way in
    run: 'mark run; $3'
    undo: '$4; mark undo'
    confirm: $2
  - name: after
    run: mark run
    undo: nothing
END
}
undone() {	# on HOST
	status_is "$id" rolled-back &&
		reason_is "$id" "step 2 'the way in': not confirmed within*" &&
		steps_are "$id" 'done/done timed-out/done waiting/-' &&
		host_is "$1" ready && marks_are "$1" "$id 1 run
$id 2 run
$id 2 undo
$id 1 undo"
}
all_ran() {	# on HOST
	marks_are "$1" "$id 1 run
$id 2 run
$id 3 run"
}
marked() {	# HOST WORDS: a step has got so far
	on "$1" "grep -q '$2' /var/log/marks"
}
reaches() {	# does the tower get to the host's port?
	timeout 2 bash -c ": </dev/tcp/$(rig addr "$1")/22"
}
unreachable() {
	! reaches "$1"
}
again() {
	forget "$1"
	hurry
}

# --- the route ---

cuts route 20s "ip route add blackhole $tower/32" \
	"ip route del blackhole $tower/32"
add one "$work/route.yaml"
run_bg
ok 'a step cuts the route' within 20 marked one "$id 2 run"
ok '... the host is out of reach' within 5 unreachable one
pass_ends
ok '... it comes back by itself' reaches one
ok '... the step is undone' undone one
ok '... by its exit status too' test "$status" -eq 3
ok '... no route is left' on one "! ip route show type blackhole | grep ."

again one
cuts awhile 60s "ip route add blackhole $tower/32; back $tower" :
on one 'cd /usr/local/bin && printf "%s\n" "#!/bin/sh" \
	"(sleep 8; ip route del blackhole \$1/32) >/dev/null 2>&1 &" >back &&
	chmod 755 back'
add one "$work/awhile.yaml"
run_
ok 'one that cuts it for a while is confirmed' status_is "$id" succeeded
ok '... all ran once' all_ran one

# --- the interface, and nobody listens ---

again two
cuts link 10s "ip link set $link down" "ip link set $link up"
add two "$work/link.yaml"
run_bg
ok 'a step takes the interface down' within 20 marked two "$id 2 run"
detach
ok '... the host undoes it, with nobody there' within 40 marked two \
	"$id 1 undo"
ok '... and can be reached' within 10 reaches two
hurry
run_
ok '... the next pass hears of it' undone two

# --- sshd ---

again one
cuts sshd 10s 'systemctl stop ssh' 'systemctl start ssh'
add one "$work/sshd.yaml"
run_
ok 'a step stops the sshd: undone, though its sessions live on' undone one

again one
change refused <<'END'
steps:
  - name: before
    run: mark run
    undo: mark undo
  - name: the way in
    run: |
      mark run
      echo 'AllowUsers nobody' >/etc/ssh/sshd_config.d/0.conf
      systemctl restart ssh
    undo: |
      rm -f /etc/ssh/sshd_config.d/0.conf
      systemctl restart ssh
      mark undo
    confirm: 10s
  - name: after
    run: mark run
    undo: nothing
END
add one "$work/refused.yaml"
run_
ok 'a step has the sshd refuse the login: undone, and not held' undone one

again one
change moves <<'END'
successor: {port: 2222}
steps:
  - name: before
    run: mark run
    undo: mark undo
  - name: the way in
    run: |
      mark run
      echo 'Port 2222' >/etc/ssh/sshd_config.d/0.conf
      systemctl restart ssh
    undo: |
      rm -f /etc/ssh/sshd_config.d/0.conf
      systemctl restart ssh
      mark undo
    confirm: 60s
  - name: after
    run: mark run
    undo: nothing
END
add one "$work/moves.yaml"
run_
ok 'a step moves the sshd: confirmed by the successor login' \
	status_is "$id" succeeded
ok '... all ran once' all_ran one
ok '... which is the host'\''s now' test \
	"$(towerify-host show -J one | jq .port)" -eq 2222

# --- power ---

again two
tower=$(tower_of two)
cuts power 600s "ip route add blackhole $tower/32" \
	"ip route del blackhole $tower/32"
add two "$work/power.yaml"
run_bg
ok 'a step that is to be confirmed has run' within 20 marked two "$id 2 run"
sleep 1
rig kill two
detach
rig start two
rig wait -b 2 two
hurry
run_
ok 'power lost, the tower gets in: confirmed within the time that is left' \
	status_is "$id" succeeded
ok '... no step ran twice' all_ran two
for h in one two; do
	ok "$h: no unit, process or control group" within 20 idle "$h"
done
ok 'two: no job is left' spool_is_empty two

leave
