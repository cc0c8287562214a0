#!/bin/sh
# revoke.t - the tower leaves real hosts: as root, by sudo, as an ordinary user
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

hosts one two
known root root@one
known sudo deploy@two --sudo
known plain plain@two
towerify-host key >"$work/mine"
ssh-keygen -q -t ed25519 -N '' -C 'somebody else' -f "$work/else"

# login HOST USER: does the tower's key let in?
lets_in() {
	rig hostkey "$1" >"$work/hostkey"
	ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes \
		-o IdentityAgent=none -o UserKnownHostsFile="$work/hostkey" \
		-i "${3:-$TOWERIFY_STATE/keys/default/id_ed25519}" \
		"$2@$(rig addr "$1")" true
}
not() {
	! "$@"
}
# with_others HOST FILE: other people's lines around the tower's
with_others() {
	on "$1" "cat >>$2" <<-END
		# people
		restrict,command="echo \"hello\"" $(cut -d ' ' -f 1,2 "$work/else.pub") limited
		$(cat "$work/else.pub")
	END
	on "$1" "cat $2" | grep -vF "$(cut -d ' ' -f 2 "$work/mine")" \
		>"$work/want"
}
others_are() {	# others_are HOST FILE: byte by byte
	on "$1" "cat $2" | cmp - "$work/want"
}

change deploys <<'END'
steps:
  - name: a service of its own
    run: |
      systemd-run --quiet --unit=deployed sleep 1000
      sleep 1000 >/dev/null 2>&1 &
      echo "$!" >/root/left
    undo: nothing
END
change blocks <<'END'
steps:
  - {name: waits, run: block "$TOWERIFY_HOST", undo: nothing}
END

# --- root ----------------------------------------------------------------------

with_others one /root/.ssh/authorized_keys
add root "$work/deploys.yaml" --run --wait
add root "$work/blocks.yaml"
run_bg
ok 'a step runs' here one root
try towerify-host revoke root --yes
is 'nothing is taken while a change runs' 1 '' \
	"towerify-host: root: change $id is running"
detach
try towerify-host revoke root
is '... nor when nobody follows it' 1 '' \
	"towerify-host: root: change $id is running"
go one root
run_
try towerify-host revoke root
is 'root: revoked' 0 '' \
	'root is revoked: 1 line taken out of its authorized_keys, its spool is gone'
ok '... the key is refused' not lets_in one root
ok '... other keys let in' lets_in one root "$work/else"
ok '... and stand as they did' others_are one /root/.ssh/authorized_keys
ok '... sshd trusts the file' test "$(on one \
	'stat -c "%U %a" /root/.ssh/authorized_keys')" = 'root 600'
ok '... no file of the tower is there' on one \
	'! find / -xdev \( -name "*towerify*" -o -path "/run/towerify*" \) \
	-not -path "/proc/*" -not -path "/sys/*" -not -path "/var/log/*" \
	-print | grep . && ! ls -d /run/towerify* /dev/shm/towerify*'
ok '... what was deployed runs on' on one \
	'systemctl is-active -q deployed && kill -0 "$(cat /root/left)"'

# --- by sudo --------------------------------------------------------------------

file=/home/deploy/.ssh/authorized_keys
with_others two "$file"
on two 'cp /root/.ssh/authorized_keys /root/before'
on two "chmod 400 $file; mv $file /home/deploy/keys
	ln -s ../keys $file"
try towerify-host revoke sudo
is 'sudo: revoked' 0 '' \
	'sudo is revoked: 1 line taken out of its authorized_keys, its spool is gone'
ok "... the login's key is refused" not lets_in two deploy
ok '... other keys let in' lets_in two deploy "$work/else"
ok '... and stand as they did' others_are two "$file"
ok '... in a file that is still its own' test "$(on two \
	'stat -c "%U %a" /home/deploy/keys; readlink '"$file")" = 'deploy 400
../keys'
ok "... root's is not the tower's matter" on two \
	'cmp /root/before /root/.ssh/authorized_keys'
ok '... the spool is gone' on two "! test -e $spool"

# --- as an ordinary user, elsewhere ------------------------------------------------

ok 'plain: works still' towerify-host -q check plain
on two 'mkdir /etc/ssh/keys && mv /home/plain/.ssh/authorized_keys \
	/etc/ssh/keys/plain && echo "AuthorizedKeysFile /etc/ssh/keys/%u" \
	>/etc/ssh/sshd_config.d/keys.conf && sshd -t && systemctl restart ssh'
ok '... with its key in another place' within 10 lets_in two plain
try towerify-host revoke plain
like 'plain: what it may not look into is said' 1 '' \
	'towerify-host: plain: nothing was taken off: the host refused: keys *'
ok '... and so it is' lets_in two plain
on two 'cat >>/etc/ssh/keys/root' <"$work/mine"
known again root@two
try towerify-host revoke again
is 'root: where sshd says the keys are' 0 '' \
	'again is revoked: 2 lines taken out of its authorized_keys, its spool is gone'
ok '... refused' not lets_in two root
rig cut two
try towerify-host revoke plain
like 'plain: cut off' 75 '' 'towerify-host: plain: nothing was taken off: *'
rig join two
ok '... it is as it was' towerify-host -q check plain
leave
