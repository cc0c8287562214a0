#!/bin/sh
# op_key.t - towerify-op add --ssh-key: the line of authorized_keys
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

op=towerify-op
tools=$(dirname "$(command -v towerify-op)")
tools=$(cd "$tools" && pwd -P)
towerify-host key >/dev/null
cd "$work"
for name in alice bob; do
	ssh-keygen -q -t ed25519 -N '' -C "$name@example.org" -f "$name"
done
key=$(cut -d ' ' -f 1,2 alice.pub)
print=$(ssh-keygen -lf alice.pub | cut -d ' ' -f 2)
# line LOGIN NAME [STATE]
line() {
	printf 'restrict,command="%s/towerify-shell --state %s %s" %s' \
		"$tools" "${3-$TOWERIFY_STATE}" "$1" "$(cat "$2.pub")"
}
may_nothing() {
	echo "$1 may do nothing yet in organisation 'default': \
see towerify-op grant"
}

# --- the line ---------------------------------------------------------------------------

try $op add alice --ssh-key alice.pub
is 'add --ssh-key prints the line' 0 "$(line alice alice)" \
	"$(may_nothing alice)"
try $op add alice --ssh-key alice.pub
is '... again, for the operator there is' 0 "$(line alice alice)" ''
try sh -c "$op add bob --ssh-key - -q <bob.pub | cat"
is '... from standard input, on a pipe' 0 "$(line bob bob)" ''
printf '%s\r\n' "$key" >dos.pub
try $op add alice --ssh-key dos.pub
is '... without a comment' 0 "$(line alice alice | sed 's/ [^ ]*$//')" ''
echo "$key two words" >words.pub
try $op add alice --ssh-key words.pub
is '... with one of two words' 0 "$(line alice words)" ''
for kind in 'rsa -b 2048' 'ecdsa -b 256' 'ecdsa -b 384' 'ecdsa -b 521'; do
	rm -f kind kind.pub
	# shellcheck disable=SC2086 # a type and its option
	ssh-keygen -q -t $kind -N '' -f kind
	try $op add alice --ssh-key kind.pub
	is "... $kind" 0 "$(line alice kind)" ''
done
try ssh-keygen -lf alice.pub
$op add alice --ssh-key alice.pub >keys
try ssh-keygen -lf keys
like '... a line that OpenSSH reads' 0 "256 $print *" ''

mkdir 'a state'
chmod 700 'a state'
try $op --state 'a state' init "$me"
try $op --state 'a state' add alice --ssh-key alice.pub -q
is 'a state whose name has blanks is one word' 0 \
	"$(line alice alice "'$work/a state'")" ''
for name in "a'b" 'a"b' 'a\b' "a${newline}b"; do
	mkdir -m 700 "$name"
	try $op --state "$name" init "$me"
	try $op --state "$name" add alice --ssh-key alice.pub -q
	like "... with a quote or the like is refused" 78 '' "towerify-op: \
*: a quote, a backslash or a control character in this path can't stand in \
authorized_keys"
	try $op --state "$name" list -n -o operator
	is '... before alice was added' 0 "$me" ''
done

# --- files that are no key ------------------------------------------------------------------

# refused TEXT MESSAGE [HINT]: what the file bad says of itself
refused() {
	try $op add carol --ssh-key bad
	is "refused: $1" 65 '' "towerify-op: bad: $2${3:+${newline}hint: $3}"
}

: >bad
refused 'nothing' 'there is no key in it'
cp alice bad
refused 'a private key' \
	'this is a private key, which its owner must not give away' \
	'the public key is wanted; ssh-keygen put it beside, in a file whose '\
'name ends in .pub'
ssh-keygen -e -f alice.pub >bad
refused 'another format' "not in OpenSSH's format" \
	'ssh-keygen -i converts it; see -m there'
printf 'ssh-ed25519 AAAA\0' >bad
refused 'NUL bytes' 'holds NUL bytes, so it is no key'
echo 'to whom it may concern' >bad
refused 'prose' 'not an OpenSSH public key ("TYPE BASE64 COMMENT")' \
	'ssh-keygen -t ed25519 makes a key that is'
echo "command=\"/bin/sh\" $key" >bad
refused 'options' 'there are options before the key' \
	'give the key alone; the tower writes the options'
cat alice.pub bob.pub >bad
refused 'two keys' 'more than one line: one key is wanted' \
	'give each key with a call of its own'
echo 'ssh-dss AAAAB3NzaC1kc3MAAACB' >bad
refused 'a type of old' "keys of type 'ssh-dss' are not taken" \
	'ssh-keygen -t ed25519 makes a key that is'
echo 'ssh-ed25519' >bad
refused 'a type alone' 'after ssh-ed25519 the key itself is missing'
echo "$key!" >bad
refused 'no base64' \
	'the key is not base64: was it cut or broken when it was copied?'
echo "$key" | cut -c 1-60 >bad
refused 'a key cut short' 'the key is cut short, or damaged'
echo "ssh-rsa ${key#* }" >bad
refused 'another type within' \
	'the key is called ssh-rsa but is of another type'
printf '%s al\033[31mice\n' "$key" >bad
refused 'a comment for terminals' \
	'the comment holds a quote, a backslash or what is not printable ASCII' \
	'the comment may go: keep the first two words of the line'
printf '%s al"ice\n' "$key" >bad
refused 'a comment with a quote' \
	'the comment holds a quote, a backslash or what is not printable ASCII' \
	'the comment may go: keep the first two words of the line'
head -c 20000 /dev/zero | tr '\0' a >bad
refused 'a large file' 'larger than 16384 bytes'
rm bad
refused 'no file' 'cannot open: No such file or directory'
mkdir bad
refused 'a directory' 'not a regular file'
try sh -c "$op add carol --ssh-key - <alice"
like '... standard input has its name' 65 '' \
	'towerify-op: standard input: this is a private key, *'
try $op show carol
is '... and nobody was added' 1 '' \
	"towerify-op: no operator 'carol'"

# --- --install --------------------------------------------------------------------------------

keys=$HOME/.ssh/authorized_keys
try $op add alice --install
is '--install: which key?' 2 '' \
	'towerify-op: --install needs --ssh-key: which key is to be installed?'
try $op add alice --ssh-key alice.pub --install
is '--install: nothing on stdout' 0 '' "$keys: $print for alice is in"
try cat "$keys"
is '... the line is there' 0 "$(line alice alice)" ''
try stat -c %a "$HOME/.ssh" "$keys"
is '... for the owner alone' 0 "700${newline}600" ''
try towerify-audit list --tower --tsv -n -o operator,action,detail
like '... and on record' 0 "*$me	op.key	{*\"$print\"*" ''
before=$(stat -c %i "$keys")
try $op add alice --ssh-key alice.pub --install
is '... again: nothing changes' 0 '' \
	"$keys: $print for alice was there already"
try sh -c "stat -c %i '$keys'; towerify-audit list --tower --tsv -n \
	-o action | grep -c op.key"
is '... nothing at all' 0 "$before${newline}1" ''

try $op add bob --ssh-key alice.pub --install
is 'a key is one operators' 1 '' "towerify-op: $keys:1: this key is there \
already, for operator alice
hint: a key is one operator's: take that line out, or give another key"
$op add dora -q
try $op remove dora
try $op add dora --ssh-key alice.pub --install
like '... refused' 1 '' '*for operator alice*'
try $op show dora
like '... so who was to be added is not' 1 '' '*'

# What others put there stays.
printf '# mine\n\nno-pty %s' "$(cat bob.pub)" >"$keys"
chmod 644 "$keys"
cp "$keys" before
try $op add bob --ssh-key bob.pub --install
is 'a key that lets in as it is' 1 '' "towerify-op: $keys:3: this key lets \
its owner in already, without towerify-shell
hint: a key is one operator's: take that line out, or give another key"
ok '... the file is as it was' cmp before "$keys"
try $op add alice --ssh-key alice.pub --install -q
is 'a file without its last newline' 0 '' ''
try cat "$keys"
is '... keeps what it had' 0 "$(cat before)
$(line alice alice)" ''
try stat -c %a "$keys"
is '... for the owner alone now' 0 600 ''
sed -i 's/--state [^ ]*/--state \/elsewhere/' "$keys"
try $op add alice --ssh-key alice.pub --install
like 'the same key for another tower' 1 '' "towerify-op: $keys:4: this key is \
there already for alice, with another command*"

rm "$keys"
ln -s "$work/elsewhere" "$keys"
try $op add alice --ssh-key alice.pub --install
is 'a symbolic link' 78 '' "towerify-op: $keys: is a symbolic link, which is \
not accepted here"
ok '... is not followed' test ! -e "$work/elsewhere"
rm "$keys"
mkdir "$keys"
try $op add alice --ssh-key alice.pub --install
is 'a directory in its place' 78 '' "towerify-op: $keys: is not a regular file"
rmdir "$keys"
chmod 775 "$HOME/.ssh"
try $op add alice --ssh-key alice.pub --install
is 'a directory that others may write to' 78 '' "towerify-op: $HOME/.ssh: \
others may write to it, so sshd does not trust it (mode 0775)
hint: chmod go-w '$HOME/.ssh'"
rm -r "$HOME/.ssh"
ln -s "$work" "$HOME/.ssh"
try $op add alice --ssh-key alice.pub --install
is 'a directory that is a link' 78 '' "towerify-op: $HOME/.ssh: is a symbolic \
link, which is not accepted here"
rm "$HOME/.ssh"
echo >"$HOME/.ssh"
try $op add alice --ssh-key alice.pub --install
is 'a file in its place' 78 '' "towerify-op: $HOME/.ssh: is not a directory"
rm "$HOME/.ssh"
if [ "$(id -u)" = 0 ]; then
	mkdir -m 700 "$HOME/.ssh"
	chown nobody "$HOME/.ssh"
	try $op add alice --ssh-key alice.pub --install
	is "somebody else's directory" 78 '' "towerify-op: $HOME/.ssh: belongs \
to another user (uid $(id -u nobody))"
	rm -r "$HOME/.ssh"
else
	skip "somebody else's directory" 'not root'
fi
try towerify-audit list --tower --tsv -n -o action
ok '... none of this is on record' test "$(grep -c op.key "$work/out")" -eq 2

# A key that can't be written: its record is there before it, never the other way
# round.
rm -rf "$HOME/.ssh"
mkdir -m 700 "$HOME/.ssh"
head -c 4194304 /dev/zero | tr '\0' '#' >"$keys"
try sh -c "ulimit -f 4096; exec $op add late --ssh-key bob.pub --install"
like 'no room for the key' 78 '' "towerify-op: $HOME/.ssh/authorized_keys*"
ok '... which is not in' sh -c "! grep -q towerify-shell '$keys'"
try towerify-audit list --tower --tsv -n -o detail
like '... but on record' 0 '*"login":"late"*' ''
try $op add late --ssh-key bob.pub --install -q
is '... and goes in the next time' 0 '' ''
ok '... once' test "$(grep -c towerify-shell "$keys")" -eq 1

# Several at once: none is lost.
rm -rf "$HOME/.ssh"
for n in 1 2 3 4 5 6; do
	ssh-keygen -q -t ed25519 -N '' -f "many$n"
done
for n in 1 2 3 4 5 6; do
	$op add "many$n" --ssh-key "many$n.pub" --install -q &
done
wait
try grep -c towerify-shell "$keys"
is 'six at once are all in' 0 6 ''
try ls -A "$HOME/.ssh"
is '... and nothing else is' 0 authorized_keys ''
rm -r "$HOME/.ssh"

# --- sshd ----------------------------------------------------------------------------------------

tower_sshd
# over NAME COMMAND: by that key, as the state's owner
over() {
	"$work/sshd/bin/ssh" -n -i "$work/$1" -p "$port" -o IdentitiesOnly=yes \
		-o BatchMode=yes "$me@127.0.0.1" "$2"
}
$op add alice --ssh-key alice.pub -q >>"$work/sshd/authorized_keys"
try over alice 'towerify-op whoami --tsv -n'
is 'sshd: the key reaches the tools as alice' 0 \
	"alice	default	false	$TOWERIFY_STATE" ''
try over alice 'id'
like '... and nothing else' 2 '' '*'
$op --state 'a state' add bob --ssh-key bob.pub -q \
	>>"$work/sshd/authorized_keys"
try over bob 'towerify-op whoami --tsv -n'
is '... of a state whose name has blanks' 0 \
	"bob	default	false	$work/a state" ''

# --- behind a gate ------------------------------------------------------------------------------

$op grant alice admin >/dev/null
TOWERIFY_OPERATOR=alice
export TOWERIFY_OPERATOR
for file in bob.pub nothing.pub; do
	try $op add bob --ssh-key $file
	is 'behind a gate no file is opened' 77 '' "towerify-op: a file can't \
be used behind a gate
hint: give it on standard input, as '-'"
done
try sh -c "$op add bob --ssh-key - <bob.pub"
is '... standard input is read' 0 "$(line bob bob)" ''
try sh -c "$op add bob --ssh-key - --install <bob.pub"
is '--install is for administrators of the tower' 77 '' "towerify-op: alice \
may not install keys: that is for administrators of the tower
hint: without --install the line is printed: give it to one of them"
ok '... nothing is made' test ! -e "$HOME/.ssh"
finish
