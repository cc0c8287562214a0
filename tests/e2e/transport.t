#!/bin/sh
# transport.t - ways to a host: libssh2, an ssh child, a host with RSA keys only,
# a jump host, an alias of ~/.ssh/config, sudo
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
# The ssh of this script: the user's configuration is $HOME's, which ssh itself
# would not look at.
mkdir "$HOME/.ssh" "$work/bin"
printf '#!/bin/sh\nexec %s/sshd/bin/ssh.real -F "%s/.ssh/config" "$@"\n' \
	"$work" "$HOME" >"$work/bin/ssh"
chmod 755 "$work/bin/ssh"
sed "s|^exec \\([^ ]*\\).*|exec \\1 \"\$@\"|" "$work/sshd/bin/ssh" \
	>"$work/sshd/bin/ssh.real"
chmod 755 "$work/sshd/bin/ssh.real"
cp "$work/sshd/ssh_config" "$HOME/.ssh/config"
PATH=$work/bin:$PATH

# A whole change: output, a file, a parameter, a failure, undo.
change whole <<'END'
params:
  word: {type: string, required: true}
steps:
  - name: says
    run: |
      echo "the word is $word"
      "$HOME/mark" "run $word"
    undo: '"$HOME/mark" undo'
  - name: file
    file: {path: /proc/self/cwd/../keep/1/file, content: "x\n"}
  - name: looks back
    run: |
      n=0
      while test "$n" -lt 2000; do n=$((n + 1)); echo "line $n"; done
    undo: nothing
END
sed -i "s|/proc/self/cwd/../keep/1/file|$home/\$FILE|; s|\\\$FILE|content|" \
	"$work/whole.yaml"

whole() {	# whole HOST: runs it there, with all it should leave
	rm -f "$log" "$home/content"
	add "$1" "$work/whole.yaml" -p 'word=a b'
	run_
	[ "$status" -eq 0 ] || { cat "$work/err"; towerify-queue why "$id"
		return 1; }
	log_is "$1 $id 1 run a b" || return 1
	[ "$(cat "$home/content")" = x ] || return 1
	{
		echo 'the word is a b'
		seq 2000 | sed 's/^/line /'
	} >"$work/wanted"
	towerify-queue log -J "$id" | jq -j .data | cmp - "$work/wanted"
}
used_is() {
	have=$(towerify-host show -J "$1" | jq -r .transport_used)
	[ "$have" = "$2" ] || { echo "$have"; return 1; }
}

tower_host lib
ok 'auto: libssh2' used_is lib libssh2
ok '... a whole change' whole lib
tower_host child --transport ssh
ok '--transport ssh' used_is child ssh
ok '... a whole change' whole child
tower_host forced --transport libssh2
ok '--transport libssh2: a whole change' whole forced

# A change cut in the middle, over the ssh child.
change talks <<'END'
steps:
  - name: talks
    run: |
      n=0
      while test "$n" -lt 300; do n=$((n + 1)); echo "$n"; sleep 0.01; done
    undo: nothing
END
add child "$work/talks.yaml"
run_bg
for at in 20 100; do
	until_ sh -c '[ "$(towerify-queue log -J "$1" | jq -j .data |
		wc -l)" -gt "$2" ]' sh "$id" "$at"
	sshd_sessions "$work/sshd"
done
run_ends
ok 'cut twice over an ssh child: not lost, not doubled' test \
	"$(towerify-queue log -J "$id" | jq -j .data)" = "$(seq 300)"

# --- what libssh2 can't speak to -----------------------------------------------------

SSHD_HOSTKEY=rsa
SSHD_EXTRA="HostKeyAlgorithms rsa-sha2-512
AuthorizedKeysFile $work/sshd/authorized_keys
SetEnv HOME=$home"
sshd_start "$work/sshd-rsa"
unset SSHD_EXTRA SSHD_HOSTKEY
rsa_port=$(cat "$work/sshd-rsa/port")
PATH=$work/bin:$PATH
try towerify-host -q add rsa "$me@127.0.0.1:$rsa_port" --accept-host-key \
	--spool "$work/spool-rsa"
ok 'a host of RSA keys only is added' test "$status" -eq 0
ok '... by the ssh child, chosen by itself' used_is rsa ssh
ok '... pinned with its type' test "$(towerify-host show -J rsa |
	jq -r .host_key | cut -d ' ' -f 1)" = ssh-rsa
ok '... a whole change' whole rsa

# --- a jump host -------------------------------------------------------------------------

# Lets nobody run anything, forwards only.
SSHD_EXTRA='ForceCommand /bin/false'
sshd_start "$work/sshd-jump"
unset SSHD_EXTRA
PATH=$work/bin:$PATH
jump_port=$(cat "$work/sshd-jump/port")
{
	printf 'Host 127.0.0.*\nIdentityFile %s\n' "$work/sshd-jump/id_ed25519"
	cat "$work/sshd/ssh_config"
} >"$HOME/.ssh/config"
cat "$work/sshd-jump/known_hosts" >>"$work/sshd/known_hosts"
try towerify-host -q add jump "$address" --host-key "$fingerprint" \
	--spool "$work/spool-jump" --via "$me@127.0.0.1:$jump_port"
ok 'a host behind a jump host is added' test "$status" -eq 0
ok '... a whole change' whole jump
ok '... through it' grep -q 'Accepted publickey' "$work/sshd-jump/sshd.log"
towerify-host -q set jump transport=ssh
ok '... and by the ssh child' whole jump
sshd_stop "$work/sshd-jump"
add jump "$work/talks.yaml"
run_bg
run_ends
ok 'the jump host is gone: the pass does not wait for it' test "$status" -eq 0
ok '... temporary, not held' test "$(towerify-host show -J jump |
	jq -r '.held_reason, .last_error' | cut -c 1-4 | xargs)" = 'null ssh:'
SSHD_EXTRA='ForceCommand /bin/false'
SSHD_PORT=$jump_port
sshd_start "$work/sshd-jump"
unset SSHD_EXTRA SSHD_PORT
PATH=$work/bin:$PATH
hurry
run_
ok '... it is back: so is the change' status_is "$id" succeeded

# --- an alias -----------------------------------------------------------------------------

front_is_at() {	# the port
	{
		cat <<END
Host front
    HostName 127.0.0.1
    User $me
    Port $1
END
		cat "$work/ssh_config"
	} >"$HOME/.ssh/config"
}
cp "$HOME/.ssh/config" "$work/ssh_config"
front_is_at "$port"
try towerify-host -q add alias front --host-key "$fingerprint" \
	--spool "$work/spool-alias"
ok 'an alias of ~/.ssh/config' test "$status" -eq 0
ok '... a whole change' whole alias
towerify-host -q set alias transport=ssh
ok '... and by the ssh child' whole alias
towerify-host -q set alias transport=libssh2
front_is_at 1
add alias "$work/talks.yaml"
run_
ok 'the file has changed: so has the way' sh -c 'towerify-queue why "$1" |
	grep -q "cannot connect to 127.0.0.1 port 1:"' sh "$id"
front_is_at "$port"
hurry
run_
ok '... and back' status_is "$id" succeeded

# --- sudo ----------------------------------------------------------------------------------

# A sudo of the login's own, first in its PATH.
mkdir "$work/fake"
cat >"$work/fake/sudo" <<END
#!/bin/sh
echo "\$*" | cut -c 1-20 >>"$work/sudo.log"
if [ -e "$work/sudo.refuses" ]; then
	echo 'sudo: a password is required' >&2
	exit 1
fi
while [ "\$1" != -- ]; do shift; done
shift
exec "\$@"
END
chmod 755 "$work/fake/sudo"
SSHD_EXTRA="SetEnv HOME=$home PATH=$work/fake:/usr/local/bin:/usr/bin:/bin
AuthorizedKeysFile $work/sshd/authorized_keys"
sshd_start "$work/sshd-sudo"
unset SSHD_EXTRA
PATH=$work/bin:$PATH
other_host sudo sudo --sudo
ok 'sudo: a whole change' whole sudo
ok '... by sudo -n -H --' grep -qx 'sudo -n -H -- sh -c.*\|-n -H -- sh -c.*' \
	"$work/sudo.log"
: >"$work/sudo.refuses"
rm -f "$log"
add sudo "$work/whole.yaml" -p word=x
run_
ok 'sudo refused: held, a person must act' host_is sudo held \
	'*sudo*a password is required*'
ok '... loudly' grep -q 'sudo.*a password is required' "$work/err"
ok '... nothing ran' log_is ''
towerify-host -q set sudo transport=ssh
towerify-host -q release sudo
run_
ok '... the same by the ssh child' host_is sudo held \
	'*sudo*a password is required*'
rm "$work/sudo.refuses"
towerify-host -q release sudo
run_
ok '... until it is granted' status_is "$id" succeeded

leave
