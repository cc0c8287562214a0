#!/bin/sh
# gated.t - a host added behind a gate is reached with the organisation's key
# alone: nothing of the owner's ~/.ssh counts, then or later
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
# The owner's ssh: its configuration is $HOME's, and it tells what it was asked.
mkdir "$HOME/.ssh" "$work/bin"
real=$(sed -n 's|^exec \([^ ]*\).*|\1|p' "$work/sshd/bin/ssh")
printf '#!/bin/sh\necho "$*" >>%s/asked\nexec %s -F "%s/.ssh/config" "$@"\n' \
	"$work" "$real" "$HOME" >"$work/bin/ssh"
chmod 755 "$work/bin/ssh"
# A host of somebody else's: it lets the owner's own key in.
sshd_start "$work/sshd-theirs"
PATH=$work/bin:$PATH
their_port=$(cat "$work/sshd-theirs/port")
theirs=$me@127.0.0.1:$their_port
their_print=$(ssh-keygen -lf "$work/sshd-theirs/host_ed25519.pub" |
	cut -d ' ' -f 2)
cp "$work/sshd-theirs/id_ed25519" "$HOME/.ssh/id_ed25519"
{
	printf 'Host front\n    HostName 127.0.0.1\n    Port %s\n    User %s\n' \
		"$their_port" "$me"
	printf 'Host *\n    IdentityFile %s/.ssh/id_ed25519\n' "$HOME"
	cat "$work/sshd/ssh_config"
} >"$HOME/.ssh/config"
cp "$home/mark" "$work/sshd-theirs/home"
change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END

gated() {
	try env TOWERIFY_OPERATOR="$me" "$@"
}
add_theirs() {	# add_theirs NAME [OPTION…]: the arguments of towerify-host
	name=$1
	shift
	set -- -q add "$name" "$theirs" --host-key "$their_print" \
		--spool "$work/spool-$name" "$@"
	gated towerify-host "$@"
}
config_is() {
	have=$(towerify-host show -J "$1" | jq .ssh_config)
	[ "$have" = "$2" ] || { echo "$1: $have"; return 1; }
}
not_let_in() {
	case $status:$(cat "$work/err") in
	0:*) return 1 ;;
	*refused*"$1"* | *'Permission denied'*) return 0 ;;
	esac
	cat "$work/err"
	return 1
}

# --- the owner's key --------------------------------------------------------------

try towerify-host -q add own "$theirs" --host-key "$their_print" \
	--spool "$work/spool-own"
ok "without a gate the owner's key lets in" test "$status" -eq 0
ok '... the configuration counts' config_is own true
: >"$work/asked"
for transport in auto ssh libssh2; do
	add_theirs "$transport" --transport "$transport"
	ok "$transport: behind a gate it does not" not_let_in ''
	ok '... the configuration does not count' config_is "$transport" false
	try towerify-host -q check "$transport"
	ok '... nor later, without a gate' not_let_in ''
done
ok 'ssh was asked for no configuration' sh -c "! grep -e '-T*G' '$work/asked'"
ok '... and each time told to read none' sh -c \
	"test -s '$work/asked' && ! grep -v -e '^-T -F none ' '$work/asked'"
if command -v strace >/dev/null; then
	owner=$(getent passwd "$me" | cut -d : -f 6)
	for transport in libssh2 ssh; do
		gated strace -f -qq -o "$work/trace" -e trace=%file \
			towerify-host -q check "$transport"
		ok "$transport: no file of the owner's is looked at" sh -c \
			"! grep -F '$owner/.ssh' '$work/trace'"
	done
else
	skip "no file of the owner's is looked at" 'no strace'
fi

# --- it is the owner's to say -----------------------------------------------------

gated towerify-host set auto ssh-config=yes
is 'ssh-config behind a gate' 77 '' \
	"towerify-host: ssh-config can't be used behind a gate"
try towerify-host set auto ssh-config=maybe
is 'ssh-config=maybe' 2 '' \
	"towerify-host: ssh-config is yes or no, not 'maybe'"
try towerify-host set auto identity="$HOME/.ssh/id_ed25519"
is 'an identity without the configuration' 2 '' \
	"towerify-host: the organisation's key alone logs in here
hint: ssh-config=yes before identity="
try towerify-host set auto ssh-config=yes identity="$HOME/.ssh/id_ed25519"
ok 'the owner may' test "$status" -eq 0
try towerify-host -q check auto
ok '... and it is let in' test "$status" -eq 0

# Who behind a gate says where it is, or how it is reached, says it without.
for set in address=127.0.0.1 port="$their_port" user="$me" via= identity= \
	transport=auto host-key=accept; do
	try towerify-host set auto ssh-config=yes \
		identity="$HOME/.ssh/id_ed25519"
	gated towerify-host -q set auto "$set"
	ok "set $set behind a gate" test "$status" -eq 0
	ok '... the configuration does not count' config_is auto false
	ok '... no identity is left' test "$(towerify-host show -J auto |
		jq .identity)" = null
done
try towerify-host -q check auto
ok '... it is not let in' not_let_in ''
add auto "$work/note.yaml"
for transport in auto ssh; do
	try towerify-host set auto transport=$transport
	quietly towerify-host -q release auto
	run_
	ok "... nor when cron's pass comes ($transport)" host_is auto held '*'
done
ok '... nothing ran' test ! -e "$work/sshd-theirs/home/log"
try towerify-host set auto transport=auto
ok 'the audit trail has it' sh -c 'towerify-audit list --host auto -J |
	jq -e "$1"' sh '[.records[].detail |
	select(.["ssh-config"] | type == "object")] | last |
	.["ssh-config"] == { old: "yes", new: "no" } and
	.identity.old != "" and .identity.new == ""'
try towerify-host set auto ssh-config=yes
for set in label.x=y sudo=false spool="$work/spool-auto"; do
	gated towerify-host -q set auto "$set"
	ok "set $set behind a gate changes nothing of it" config_is auto true
done
try towerify-host set own ssh-config=no
try towerify-host -q check own
ok 'ssh-config=no' not_let_in ''

# --- the organisation's key -------------------------------------------------------

towerify-host key >>"$work/sshd-theirs/authorized_keys"
try towerify-host set auto ssh-config=no
for name in auto ssh libssh2; do
	gated towerify-host -q check "$name"
	ok "$name: the organisation's key lets in" test "$status" -eq 0
done
towerify-host -q release auto
run_
ok '... and what was filed is done' status_is "$id" succeeded

# --- an alias ---------------------------------------------------------------------

: >"$work/asked"
gated towerify-host -q add alias front --accept-host-key
like 'an alias behind a gate is a name like others' 75 '' \
	'towerify-host: alias: cannot look up front: *'
gated towerify-host -q set own address=front
try towerify-host -q check own
like '... and later' 75 '*' '*cannot look up front: *'
gated towerify-host -q set own address=127.0.0.1 transport=ssh
ok '... ssh was not asked' test ! -s "$work/asked"

# --- jump hosts -------------------------------------------------------------------

known=$TOWERIFY_STATE/keys/default/known_hosts
jump_starts() {
	SSHD_EXTRA='ForceCommand /bin/false'
	sshd_start "$work/sshd-jump"
	unset SSHD_EXTRA
	PATH=$work/bin:$PATH
	towerify-host key >>"$work/sshd-jump/authorized_keys"
}
jump_starts
jump_port=$(cat "$work/sshd-jump/port")
jump=$me@127.0.0.1:$jump_port
gated towerify-host -q add far "$address" --host-key "$fingerprint" \
	--spool "$work/spool-far" --via "$jump"
ok 'a host behind a jump host is added' test "$status" -eq 0
ok '... which is pinned' grep -qF "[127.0.0.1]:$jump_port $(cut -d ' ' -f 1,2 \
	"$work/sshd-jump/host_ed25519.pub")" "$known"
ok '... in a file that nobody else reads' test "$(stat -c %a "$known")" = 600
for transport in ssh libssh2; do
	gated towerify-host -q set far transport=$transport
	rm -f "$log"
	add far "$work/note.yaml"
	run_
	ok "... a change by $transport" status_is "$id" succeeded
done
: >"$known"
for transport in ssh libssh2; do
	gated towerify-host -q set far transport=$transport
	try towerify-host -q check far
	ok "$transport: a jump host that is not pinned is refused" sh -c \
		"test $status -ne 0 && grep -q 'Host key verification failed' \
		'$work/err'"
done
ok '... and not pinned' test ! -s "$known"
gated towerify-host -q set far host-key=accept
try towerify-host -q check far
ok '... until the way is accepted' test "$status" -eq 0
sshd_stop "$work/sshd-jump"
rm "$work/sshd-jump/host_ed25519" "$work/sshd-jump/host_ed25519.pub"
SSHD_PORT=$jump_port
jump_starts
unset SSHD_PORT
try towerify-host -q check far
ok 'a jump host that shows another key is refused' sh -c \
	"test $status -ne 0 && grep -q 'HOST KEY HAS CHANGED' '$work/err'"
gated towerify-host -q set far host-key=accept
ok '... also when the way is accepted' test "$status" -ne 0
ssh-keygen -q -R "[127.0.0.1]:$jump_port" -f "$known" >/dev/null 2>&1
rm -f "$known.old"
gated towerify-host -q set far host-key=accept
try towerify-host -q check far
ok '... until the owner takes the pin away' test "$status" -eq 0

leave
