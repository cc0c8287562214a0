#!/bin/sh
# host.t - towerify-host: add, list, show, set, check, hold, release, revoke,
# remove, key
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

host=towerify-host
tower_sshd
key=$(cut -d ' ' -f 1,2 "$work/sshd/host_ed25519.pub")

# --- add: the grammar, with nothing reached -----------------------------------------

wrong() {	# wrong TEXT MESSAGE ARGUMENT…: status 2, nothing is added
	text=$1
	message=$2
	shift 2
	try "$host" add "$@" --accept-host-key
	is "add: $text" 2 '' "towerify-host: $message"
}
wrong 'a name with a blank' "'a b' can't be the name of a host: letters, digits, dots, \
dashes, underscores" 'a b' "$address"
wrong 'a name that begins with a dot' "'.a' can't be the name of a host: \
letters, digits, dots, dashes, underscores" .a "$address"
wrong 'a name that could be a pattern' "'web*' can't be the name of a host: \
letters, digits, dots, dashes, underscores" 'web*' "$address"
wrong 'a port that is none' \
	"--port must be a whole number from 1 to 65535, not '70000'" \
	h1 127.0.0.1:70000
wrong 'a port of no digits' "'127.0.0.1:' is not [USER@]HOST[:PORT]" \
	h1 127.0.0.1:
wrong 'no user before the @' "'@127.0.0.1' has no user" h1 @127.0.0.1
wrong 'an option as an address' \
	"'-oProxyCommand=x' is not a host name or an address" \
	h1 root@-oProxyCommand=x
wrong 'shell text as an address' "'a;id' is not a host name or an address" \
	h1 'a;id'
wrong 'shell text as a user' "'\$(id)' is not a login" h1 "\$(id)@a"
wrong 'a relative spool' "'spool' can't be a spool: an absolute path of \
letters, digits, dots, dashes, underscores" h1 "$address" --spool spool
wrong 'a label without a value' "--label takes K=V, not 'front'" \
	h1 "$address" --label front
wrong 'a transport that is none' \
	"transport is auto, libssh2 or ssh, not 'telnet'" \
	h1 "$address" --transport telnet
wrong 'a jump host that is none' \
	"'a b' is not a host name or an address" h1 "$address" --via 'a b'
wrong 'a key file that is not there' \
	"cannot read the private key $work/none" \
	h1 "$address" --identity "$work/none"
wrong 'an empty option' '--via is empty' h1 "$address" --via ''
try "$host" list
is '... nothing was added' 0 '' ''

# --- add: the host key ------------------------------------------------------------------

# Without a terminal, whatever stdin says.
echo yes >"$work/yes"
try setsid -w "$host" add h1 "$address" <"$work/yes"
is 'add without a terminal wants a decision' 2 '' "towerify-host: h1: its \
host key $fingerprint can't be asked about without a terminal
hint: --host-key $fingerprint, or --accept-host-key"

wrong_key=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
try "$host" add h1 "$address" --host-key "$wrong_key"
is 'add: another host key than the one given' 1 '' "towerify-host: h1: the \
host shows another key: ssh-ed25519 $fingerprint
hint: compare it on the host: ssh-keygen -lf \
/etc/ssh/ssh_host_ed25519_key.pub"

on_terminal no "towerify-host add h1 $address"
ok 'add asks on the terminal' grep -qF "$fingerprint" "$work/screen"
ok '... no means no' test "$status" -eq 1
ok '... and says so' grep -qF 'towerify-host: not confirmed' "$work/screen"
try "$host" list
is '... nothing was added' 0 '' ''
# stdin is not what is read: it holds a yes, the terminal gets a no
on_terminal no "towerify-host add h1 $address <$work/yes"
ok '... whatever stdin says' test "$status" -eq 1

on_terminal yes "towerify-host add asked $address --spool $work/spool-asked"
ok '... yes means yes' test "$status" -eq 0
try "$host" remove asked
is 'remove' 0 '' ''

try "$host" add h1 "$address" --host-key "$fingerprint" \
	--spool "$work/spool-h1" --label role=front --label tier=1
is 'add with the right fingerprint' 0 '' 'h1 is added'
try "$host" add h2 "ssh://$address" --accept-host-key \
	--spool "$work/spool-h2" --transport libssh2
is 'add with whatever key it shows, as a URL' 0 '' \
	"h2: host key ssh-ed25519 $fingerprint
h2 is added"
try "$host" -q add h3 "$address" --accept-host-key --transport ssh \
	--spool "$work/spool-h3" --identity "$work/sshd/id_ed25519"
is '-q: silent; by an ssh child, with a key of its own' 0 '' ''
try "$host" add h1 "$address" --accept-host-key
is 'add a name twice' 1 '' "towerify-host: there is a host 'h1' already"

# --- add: what can go wrong there ----------------------------------------------------

cp "$work/sshd/authorized_keys" "$work/keys"
: >"$work/sshd/authorized_keys"
try "$host" add h4 "$address" --host-key "$fingerprint" \
	--spool "$work/spool-h4"
like 'add where the key is not let in: added, and what to do' 1 '' \
	"towerify-host: h4: added, but the tower can't log in yet: *
hint: put the key that \`towerify-host key\` prints into the authorized_keys \
of $me on h4"
try "$host" list -n -o name,status h4
is '... as a new host' 0 'h4 new' ''
cp "$work/keys" "$work/sshd/authorized_keys"
try "$host" check h4 -n -o host,result
is '... and check makes it a ready one' 0 'h4 ok' ''
try "$host" list -n -o status h4
is '... from then on' 0 ready ''

try "$host" add h5 "$me@127.0.0.1:1" --accept-host-key
like 'add where nobody listens' 75 '' \
	"towerify-host: h5: cannot connect to 127.0.0.1 port 1: Connection \
refused*"
try "$host" add h5 "$me@127.0.0.1:1" --accept-host-key --transport ssh
like '... by an ssh child' 75 '' 'towerify-host: h5: *onnection refused*'
try "$host" add h5 "$address" --host-key "$fingerprint" \
	--spool "$TOWERIFY_STATE"
like 'add with a spool that is a state directory' 1 '' \
	"towerify-host: h5: added, but the tower can't log in yet: *"
try "$host" remove h5
is '... can be taken back' 0 '' ''

# --- list, show ----------------------------------------------------------------------

try "$host" list -n -o name,address,port,user,transport,labels h1,h2
is 'list' 0 "h1 127.0.0.1 $port $me auto    role=front,tier=1
h2 127.0.0.1 $port $me libssh2 -" ''
try "$host" list -n -o name @role=front
is 'list by label' 0 h1 ''
try "$host" list -n -o name '@role'
is 'a label needs its value' 2 '' \
	"towerify-host: bad target '@role': a label is @KEY=VALUE"
try "$host" list '@role=back'
like 'no host has the label' 1 '' 'towerify-host: *@role=back*'

try "$host" show h1 -o name,fingerprint,host_key,status,sudo
is 'show: the lines that are asked for' 0 "NAME:        h1
FINGERPRINT: $fingerprint
HOST KEY:    $key
STATUS:      ready
SUDO:        no" ''
try "$host" show h1 -J
json 'show -J: all of it, typed' '.port == '"$port"' and .queued == 0 and
	.running == null and .facts.os != null and .spool_id != null and
	.transport_used == "libssh2" and .labels == "role=front,tier=1"'
try "$host" show h3 -o transport_used --tsv -n
is 'show: the transport that is used' 0 ssh ''
try "$host" show h11
is 'show: an unknown host, the nearest is offered' 1 '' \
	"towerify-host: no host 'h11'
hint: did you mean 'h1'?"

# --- set ------------------------------------------------------------------------------

try "$host" set h2 label.role=back label.tier=2 sudo=false
is 'set: several at once, in silence' 0 '' ''
try "$host" list -n -o labels h2
is '... they are set' 0 'role=back,tier=2' ''
try "$host" set h2 label.tier=
is 'set: empty takes a label away' 0 '' ''
try "$host" list -n -o labels h2
is '... it is gone' 0 role=back ''
try "$host" set h2 label.x=1 port=0
is 'set: one is wrong' 2 '' "towerify-host: --port must be a whole number \
from 1 to 65535, not '0'"
try "$host" list -n -o labels h2
is '... none is set' 0 role=back ''
try "$host" set h2 prot=22
is 'set: the nearest key is offered' 2 '' \
	"towerify-host: 'prot' is nothing that can be set
hint: did you mean 'port'?"
try "$host" set h2 port
is 'set: no value' 2 '' "towerify-host: 'port' is not KEY=VALUE"
try "$host" set h2 sudo=yes
is 'set: a boolean is true or false' 2 '' \
	"towerify-host: sudo is true or false, not 'yes'"
try "$host" set h2 host-key=no
is 'set: host-key takes accept' 2 '' \
	"towerify-host: host-key takes 'accept', not 'no'"
try "$host" set nobody sudo=true
is 'set: an unknown host' 1 '' "towerify-host: no host 'nobody'"
try "$host" set h2 address=localhost
is 'set: another address' 0 '' ''
try "$host" check h2 -n -o host,result
is '... and it is the one that is asked' 0 'h2 ok' ''

# The host gets another key: nothing more is done there until a person says so.
try "$host" set h2 port=1
is 'set: another port' 0 '' ''
try "$host" check h2 -n -o host,result
like 'check: nobody listens' 75 'h2 unreachable' \
	'towerify-host: h2: cannot connect to 127.0.0.1 port 1: *refused'
try "$host" set h2 "port=$port" address=127.0.0.1
is '... back again' 0 '' ''

ssh-keygen -q -t ed25519 -N '' -f "$work/new"
sshd_stop "$work/sshd"
mv "$work/new" "$work/sshd/host_ed25519"
mv "$work/new.pub" "$work/sshd/host_ed25519.pub"
SSHD_PORT=$port sshd_start "$work/sshd"
new=$(ssh-keygen -lf "$work/sshd/host_ed25519.pub" | cut -d ' ' -f 2)
fingerprint=$new
cp "$work/keys" "$work/sshd/authorized_keys"
try "$host" check h2 -n -o host,result
like 'check: the host key has changed' 1 'h2 refused' \
	"towerify-host: h2: *key*"
ok '... it shows the new one' grep -qF "$new" "$work/err"
try "$host" check h3 -n -o host,result
like '... by an ssh child too' 1 'h3 refused' "towerify-host: h3: *key*"
try "$host" set h2 host-key=accept
is 'set host-key=accept pins what it shows now' 0 '' \
	"h2: host key ssh-ed25519 $new"
try "$host" check h2 -n -o host,result
is '... and it is reached again' 0 'h2 ok' ''
"$host" -q set h1 host-key=accept

# The spool goes: the same with its id.
old=$("$host" show h1 --tsv -n -o spool_id)
rm -rf "$work/spool-h1"
try "$host" check h1 -n -o host,result
like 'check: the spool is another' 1 'h1 refused' 'towerify-host: h1: *spool*'
try "$host" set h1 spool-id=accept
is 'set spool-id=accept' 0 '' ''
try "$host" check h1 -n -o host,result
is '... and it is good again' 0 'h1 ok' ''
ok '... with another id' test "$old" != \
	"$("$host" show h1 --tsv -n -o spool_id)"
try towerify-audit list --host h1 -J
json '... which is on record, old and new' '[.records[] |
	select(.action == "host.set") | .detail["spool-id"].old] |
	any(. == "'"$old"'")'

# --- check ------------------------------------------------------------------------------

"$host" -q set h3 host-key=accept
"$host" -q set h4 host-key=accept
try "$host" check 'h[4-3],h1' -n -o host,result,missing
is 'check: bad targets' 2 '' "towerify-host: bad target 'h[4-3]': the range \
runs backwards"
try "$host" check 'h3,h1,h4' -n -o host,result,sudo
like 'check: several, in the order given' 0 \
	"h3 ok*${newline}h1 ok*${newline}h4 ok*" ''
try "$host" check h1 -J
json 'check -J: facts, typed' '.hosts[0] | .result == "ok" and
	(.memory_kb | type) == "number" and (.sudo | type) == "boolean" and
	.missing == null and .error == null and .user == "'"$me"'"'
"$host" set h4 port=1
try "$host" check h1,h4 -J
json 'check: one of two is unreachable' '[.hosts[].result] ==
	["ok", "unreachable"] and (.hosts[1].error | test("refused"))'
is '... the worst counts' 75 "$(cat "$work/out")" \
	'towerify-host: h4: cannot connect to 127.0.0.1 port 1: Connection refused'
try "$host" check h1 --jobs 0
is 'check: --jobs that can be no number' 2 '' \
	"towerify-host: --jobs must be a whole number from 1 to 100000, not '0'"
try "$host" check h1 --jobs 1 -n -o result
is 'check: one at a time' 0 ok ''
try "$host" check 'h1,nobody,h9'
is 'check: unknown hosts, all of them' 1 '' \
	'towerify-host: unknown host: nobody, h9'

# --- hold, release, remove --------------------------------------------------------------

try "$host" hold h1 --reason 'coffee'
is 'hold' 0 '' ''
try "$host" list -n -o name,status,held_reason,held_by h1
is '... who and why' 0 "h1 held coffee $me" ''
try "$host" show h1 -J
json '... since when' '.held_since | test("^20[0-9-]*T.*Z$")'
try "$host" hold h1 --reason 'tea'
like 'hold again: the first reason stands' 0 '' '*'
try "$host" list -n -o held_reason h1
is '... still' 0 coffee ''
try "$host" hold h2
is 'hold without a reason' 0 '' ''
try "$host" list -n -o held_reason h2
is '... says so' 0 'no reason given' ''
try "$host" release h1
is 'release' 0 '' ''
try "$host" release h1
is 'release what is not held' 1 '' 'towerify-host: h1: is not held'
try "$host" hold nobody
is 'hold: an unknown host' 1 '' "towerify-host: no host 'nobody'"
try "$host" release nobody
is 'release: an unknown host' 1 '' "towerify-host: no host 'nobody'"

quietly towerify-queue add h1,h2 - <<'END'
towerify: 1
steps:
  - {run: "true", undo: nothing}
END
try "$host" list -n -o name,queued h1,h2
is 'list counts what waits' 0 "h1 1${newline}h2 1" ''
try "$host" remove h1
is 'remove a host with changes that wait' 0 '' ''
try "$host" show h1
like '... it is gone' 1 '' "towerify-host: no host 'h1'*"
try towerify-queue list --all --tsv -n -o id,host,status
is '... and they are cancelled' 0 "1	h1	cancelled
2	h2	held" ''
try "$host" remove h1
like 'remove: an unknown host' 1 '' "towerify-host: no host 'h1'*"
ok 'remove changes nothing there' test -d "$work/spool-h1"
tower_host h1
try towerify-queue list --all --tsv -n -o id,host,status
is 'its changes are not those of a host of the same name' 0 "1	h1	cancelled
2	h2	held" ''

# A change runs: the host stays.
quietly towerify-queue add h1 - <<END
towerify: 1
steps:
  - {run: "touch $work/started; until test -e $work/go; do sleep 0.05; done",
     undo: nothing}
END
towerify-run --hosts h1 >"$work/pass" 2>&1 &
pass=$!
ok 'a change runs' until_ test -e "$work/started"
try "$host" remove h1
is 'remove is refused while it does' 1 '' \
	'towerify-host: h1: change 3 is running'
try "$host" list -n -o name,status,running h1
is 'list shows which' 0 'h1 running 3' ''
touch "$work/go"
ok '... it ends' wait "$pass"

# --- labels whose keys begin alike -------------------------------------------------

try "$host" set h1 label.role=web label.role2=old
try "$host" set h1 label.role2=new
try "$host" list -n -o labels '@role2=new'
like 'set: a label whose key is longer than another' 0 '*role2=new*' ''
try "$host" set h1 label.role2=
try "$host" list -n -o labels h1
is 'set: an empty value takes it out' 0 "$(towerify-host list -n -o labels h1 |
	grep -v role2)" ''

# --- revoke ------------------------------------------------------------------------

# what it does on a host: tests/e2e/revoke.t
try "$host" revoke nobody
like 'revoke: no such host' 1 '' "towerify-host: no host 'nobody'*"
try "$host" revoke
like 'revoke: which' 2 '' '*'
sed -i "/ $(cut -d ' ' -f 2 "$TOWERIFY_STATE/keys/default/id_ed25519.pub" |
	sed 's|/|\\/|g')/d" "$work/sshd/authorized_keys"
tower_host gone 2>/dev/null || :
try "$host" revoke gone
like 'revoke: others are reached by the same login' 1 '' \
	'towerify-host: gone: the same login leads to *h1*, which the tower *'
try env TOWERIFY_OPERATOR="$me" "$host" revoke gone --yes
is 'revoke: refused already, behind a gate' 0 '' "gone is revoked: it refuses \
the login already; the tower's files there stay"
try "$host" list -n -o name,status,revoked_by gone
is '... list says so' 0 "gone revoked $me" ''
try "$host" list 'go*' -n -o name
is '... by a pattern too' 0 gone ''
try "$host" check 'go*'
is 'a pattern passes over it where something is to be done' 0 '' ''
try towerify-queue add 'go*' /dev/null
is '... and may select nothing' 1 '' \
	"towerify-queue: 'go*' selects no host: nothing was filed"
try "$host" show gone -J
json '... since when' '.revoked | test("^20[0-9-]*T.*Z$")'
try "$host" remove gone
is '... and it can be forgotten' 0 '' ''

# --- key ----------------------------------------------------------------------------------

try "$host" key
is 'key: what the state holds' 0 \
	"$(cat "$TOWERIFY_STATE/keys/default/id_ed25519.pub")" ''
rm "$TOWERIFY_STATE/keys/default/id_ed25519.pub"
try "$host" key
like 'key: its file is gone' 78 '' \
	"towerify-host: $TOWERIFY_STATE/keys/default/id_ed25519.pub: *"
finish
