#!/bin/sh
# fetch.t - what the tower downloads: steps of the kind fetch, its cache, and
# towerify-app import URL
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

queue=towerify-queue
web=$work/web
cache=$TOWERIFY_STATE/cache
mkdir -p "$web/www"
: >"$web/log"

httpd_start() {
	rm -f "$web/port"
	perl "$top/tests/lib/httpd" "$web" >/dev/null 2>&1 &
	httpd=$!
	until_ test -e "$web/port"
	at=http://127.0.0.1:$(cat "$web/port")
}
httpd_stop() {
	kill "$httpd"
	wait "$httpd" 2>/dev/null || :
}
trap 'kill "$httpd" 2>/dev/null || :; tower_clean' EXIT
httpd_start

sha() { sha256sum "$web/www/$1" | cut -d ' ' -f 1; }
# asked N PATH: so many requests for it have come
asked() { [ "$(grep -cxF "$2" "$web/log" || :)" = "$1" ]; }
no_parts() { [ -z "$(find "$cache" -name '*.part')" ]; }
filed() { [ "$(sql 'SELECT count(*) FROM change')" = "$1" ]; }
# change URL SHA256 [PATH]: a change file on stdout
change() {
	cat <<END
towerify: 1
params: {dir: {type: string, default: '$work'}}
steps:
  - fetch: {url: '$1', sha256: $2, path: '{{dir}}/${3-got}'}
END
}
printf 'a tarball\n' >"$web/www/a"
printf 'b\0\377' >"$web/www/b"
head -c 300000 /dev/urandom >"$web/www/big"
a=$(sha a)
wrong=$(printf '%064d' 1)

tower_sshd
tower_hosts 2

# --- steps ---------------------------------------------------------------------------

change "$at/a" "$a" >"$work/a.yaml"
try $queue check "$work/a.yaml"
like 'check names it' 0 "*fetch*url: $at/a*sha256: $a*path: $work/got*" ''
ok '... and does not fetch it' asked 0 /a
try $queue add 'h[1-2]' "$work/a.yaml" --run --wait
is 'it comes to the hosts' 0 "1
2" ''
ok '... whole' cmp "$web/www/a" "$work/got"
ok '... and was fetched once' asked 1 /a
ok 'it is in the cache, and nothing else' test "$(ls "$cache")" = "$a"
ok '... for the tower alone' test "$(stat -c %a "$cache" "$cache/$a" | tr '\n' ' ')" = '700 600 '
try $queue plan h1 "$work/a.yaml" -n -o plan
is 'plan: it is there' 0 unchanged ''
try $queue retry 1 -p dir="$work/home"
is 'a retry' 0 3 ''
ok '... takes it out of the cache' asked 1 /a
quietly $queue cancel 3
change "$at/to//a" "$(sha b)" >"$work/bad.yaml"
try $queue add h1 "$work/bad.yaml"
is 'a wrong hash' 65 '' "towerify-queue: step 1: $at/to//a: its SHA-256 is not the one given, but $a
hint: see whether the address or the hash is wrong, or the file was changed"
ok '... stays nowhere' test "$(ls "$cache")" = "$a"
change "$at/b" "$(sha b)" b >"$work/b.yaml"
sed 's/^steps:/&\
  - {run: "false", undo: nothing}/' "$work/b.yaml" >"$work/b2.yaml"
try $queue add h1 "$work/b2.yaml" --run --wait
like 'what fails before it leaves nothing' 3 4 '*rolled back*'
ok '... indeed' test ! -e "$work/b"
try $queue add h1 "$work/b.yaml" --run --wait
is 'any bytes' 0 5 ''
ok '... as they are' cmp "$web/www/b" "$work/b"
cat "$work/a.yaml" - >"$work/two.yaml" <<END
  - fetch: {url: '$at/nothing', sha256: $a, path: '$work/got2', mode: 0600}
END
try $queue add h1 "$work/two.yaml" --run --wait
is 'two steps, one file' 0 6 ''
ok '... twice' cmp "$web/www/a" "$work/got2"

for bad in "url: 'ftp://x/y'" "url: 'http://u:p@x/y'" "url: 'file:///etc/passwd'" \
    "url: '/etc/passwd'" "sha256: abc"; do
	change "$at/a" "$a" | sed "s|${bad%%:*}: [^,]*|$bad|" >"$work/bad.yaml"
	try $queue add h1 "$work/bad.yaml"
	like "refused: $bad" 65 '' "*bad.yaml:4:*${bad%%:*} must match*"
done
change '{{dir}}/x' "$a" >"$work/bad.yaml"
try $queue add h1 "$work/bad.yaml" -p dir=ftp://x
like 'an address made of a parameter is judged too' 2 '' \
	'*step 1: fetch: url must match*'

# --- servers that misbehave --------------------------------------------------------------

# fails TEXT PATH STATUS MESSAGE
fails() {
	change "$at$2" "$wrong" >"$work/bad.yaml"
	try $queue add h1 "$work/bad.yaml"
	like "$1" "$3" '' "towerify-queue: step 1: $at$2: $4"
}
fails 'not there' /nothing 65 'answered with status 404'
fails 'not now' /status/503 75 'answered with status 503'
fails 'not a whole answer' /status/206 65 'answered with status 206'
fails 'redirected for ever' /loop/1 65 'more than 10 redirects'
fails 'redirected to a file' /to/file:///etc/passwd 65 \
	'redirected to file:///etc/passwd: not fetched: only https and http are'
fails 'redirected elsewhere' /to/gopher://127.0.0.1:1/ 65 \
	'redirected to gopher://*: not fetched: only https and http are'
fails 'redirected with a password' "/to/http://u:p@127.0.0.1/" 65 \
	'redirected to http://***@127.0.0.1/: an address with a user or a password in it is not fetched*'
fails 'ends early' /short 75 'it ended early, after 10 bytes'
fails 'is cut' /cut 75 '*onnection reset*'
printf 'towerify-fetch: 1\ntimeout: 1s\n' >"$TOWERIFY_STATE/fetch.yaml"
fails 'comes a byte at a time' /trickle 75 'it took too long, * bytes came'
fails 'says nothing' /silent 75 'it took too long, 0 bytes came'
rm "$TOWERIFY_STATE/fetch.yaml"
fails 'never ends' /endless 65 'larger than 67108864 bytes'
fails 'announces too much' /announce 65 'larger than 67108864 bytes'
fails 'has headers without an end' /headers 65 'headers of more than*'
fails 'is no HTTP' /garbage 65 '*HTTP/0.9*'
change http://127.0.0.1:1/a "$wrong" >"$work/bad.yaml"
try $queue add h1 "$work/bad.yaml"
like 'nobody listens' 75 '' '*step 1: http://127.0.0.1:1/a: *onnect*'
ok 'none of it stays' no_parts
ok '... and nothing was filed' filed 6

# --- the cache ------------------------------------------------------------------------

printf 'poison' >"$cache/$a"
: >"$web/log"
try $queue add h1 "$work/a.yaml"
is 'a wrong file in the cache' 0 7 ''
ok '... is not believed' asked 1 /a
ok '... but replaced' cmp "$web/www/a" "$cache/$a"
rm "$cache/$a"
ln -s /etc/passwd "$cache/$a"
try $queue add h1 "$work/a.yaml"
is 'a link in the cache' 0 8 ''
ok '... is not followed' test ! -L "$cache/$a" -a -f /etc/passwd
httpd_stop
try $queue add h1 "$work/a.yaml"
is 'without the server' 0 9 ''
httpd_start
change "$at/a" "$a" >"$work/a.yaml"
change "$at/b" "$(sha b)" b >"$work/b.yaml"

# Waits for a lock on the file.
is_waited_for() {
	grep -q -- "-> FLOCK.*:$(stat -c %i "$1") " /proc/locks
}
big=$(sha big)
part=$cache/$big.$(printf %s "$at/gate/big" | sha256sum | cut -c 1-16).part
change "$at/gate/big" "$big" >"$work/gate.yaml"
change "$at/big" "$big" >"$work/big.yaml"
$queue add h1 "$work/gate.yaml" >"$work/one" 2>&1 &
one=$!
until_ test -s "$part"
kill -KILL "$one"
wait "$one" || :
until_ flock -n "$part" true
ok 'killed in the middle: the beginning is not the file' test ! -e "$cache/$big"
$queue add h1 "$work/gate.yaml" >"$work/one" 2>&1 &
one=$!
until_ asked 2 /gate/big
until_ test -s "$part"
$queue add h2 "$work/gate.yaml" >"$work/two" 2>&1 &
two=$!
ok 'two at once: one waits' until_ is_waited_for "$part"
try $queue add h1 "$work/big.yaml"
like 'another address of the same file waits for nobody' 0 '[0-9]*' ''
rm "$cache/$big"
touch "$web/go"
wait "$one" && wait "$two" && both=0 || both=$?
ok 'both have it' test "$both" = 0
ok '... from one download' asked 2 /gate/big
ok '... whole' cmp "$web/www/big" "$cache/$big"
ok '... and nothing else stays' no_parts
ok 'no download runs on' test -z "$(grep -lsF towerify-fetch /proc/[0-9]*/comm |
	xargs -r grep -lsF "$work" 2>/dev/null)"

if [ "$(id -u)" -eq 0 ] && mkdir "$work/small" &&
    mount -t tmpfs -o size=100k,mode=700 none "$work/small" 2>/dev/null; then
	rm -rf "$cache"
	ln -s "$work/small" "$cache"
	try $queue add h1 "$work/big.yaml"
	like 'a link for a cache' 75 '' '*cannot open the cache*'
	rm "$cache"
	mkdir -m 700 "$cache"
	umount "$work/small"
	mount -t tmpfs -o size=100k,mode=700 none "$cache"
	try $queue add h1 "$work/big.yaml"
	is 'a full disk' 75 '' "towerify-queue: step 1: $at/big: cannot store it: No space left on device"
	ok '... is empty after' no_parts
	try $queue add h1 "$work/a.yaml"
	like '... and has room for what is smaller' 0 '[0-9]*' ''
	umount "$cache"
else
	skip 'a full disk' 'not root, or no tmpfs'
fi

# --- where it may go ---------------------------------------------------------------------

rules() { printf 'towerify-fetch: 1\n%s\n' "$1" >"$TOWERIFY_STATE/fetch.yaml"; }
rm -rf "$cache"
rules 'allow: []'
try $queue add h1 "$work/a.yaml"
is 'forbidden: anything' 77 '' "towerify-queue: step 1: $at/a: not among the addresses that this tower may fetch"
rules "allow: ['$at/x/', '$at/b']"
try $queue add h1 "$work/a.yaml"
like 'what is not listed' 77 '' '*not among the addresses*'
for up in ..%2fa ..%2Fa '..;/a' x%2f..%2f..%2fa %2e%2e/a '..\_'; do
	change "$at/x/$up" "$a" >"$work/up.yaml"
	try $queue add h1 "$work/up.yaml"
	like "what a server could take for one above: $up" 77 '' '*not among the addresses*'
done
rules "allow: ['$at/to/']"
change "$at/to//a" "$a" >"$work/to.yaml"
try $queue add h1 "$work/to.yaml"
is 'a redirect to what is not listed' 77 '' "towerify-queue: step 1: $at/to//a: redirected to $at/a: not among the addresses that this tower may fetch"
rules "allow: ['$at/to/', '$at/a']"
try $queue add h1 "$work/to.yaml"
like '... and to what is' 0 '[0-9]*' ''
rules "allow: [example.org]
wait: 1s
timeout: 5"
try $queue add h1 "$work/b.yaml"
like 'rules that are wrong, all that is' 78 '' "*fetch.yaml:2:9: an address must be*
*fetch.yaml:3:1: unknown key 'wait'*
*fetch.yaml:4:10: *"
rm "$TOWERIFY_STATE/fetch.yaml"

# --- behind a gate ------------------------------------------------------------------------

gated() {
	as=$1
	shift
	try env TOWERIFY_OPERATOR="$as" "$@"
}
: >"$web/log"
gated "$me" $queue add h1 - <"$work/b.yaml"
is 'gate: not a private address' 77 '' "towerify-queue: step 1: $at/b: not a public address, and behind a gate no other is fetched
hint: the tower's administrator can allow it, see towerify-fetch(8)"
gated "$me" http_proxy="$at" $queue add h1 - <"$work/b.yaml"
like '... nor through a proxy' 77 '' '*not a public address*'
ok '... which was not even asked' test ! -s "$web/log"
# A network of its own, whose only address is of documentation: a public one.
own() {
	change "http://$1:9/x" "$wrong" >"$work/own.yaml"
	# shellcheck disable=SC2016 # for the inner shell
	gated "$me" unshare -n sh -c '
		ip link set lo up && ip addr add 198.51.100.7/32 dev lo &&
		ip addr add 2001:db8::7/128 dev lo &&
		exec "$0" add h1 - <"$1"' "$queue" "$work/own.yaml"
	is "gate: nor one of the tower's own: $1" 77 '' "towerify-queue: step 1: http://$1:9/x: an address of the tower itself, and behind a gate none such is fetched
hint: the tower's administrator can allow it, see towerify-fetch(8)"
}
if unshare -n ip addr add 198.51.100.7/32 dev lo 2>/dev/null; then
	own 198.51.100.7
	own '[2001:db8::7]'
else
	skip "gate: nor one of the tower's own" 'no network of its own'
fi
rules "allow: ['$at/b', '$at/apps.json']"
gated "$me" $queue add h1 - <"$work/b.yaml"
like 'gate: but one that is listed' 0 '[0-9]*' ''
rm -rf "$cache"
quietly towerify-op add alice
quietly towerify-op grant alice view
: >"$web/log"
gated alice $queue add h1 - <"$work/b.yaml"
like 'who may not change the host' 77 '' 'towerify-queue: alice may not change h1*'
gated alice $queue plan h1 - <"$work/b.yaml"
like '... nor plan it' 77 '' 'towerify-queue: alice may not change h1*'
gated alice towerify-app import "$at/apps.json"
like '... nor import' 77 '' 'towerify-app: alice may not change*'
ok '... makes the tower go nowhere' test ! -s "$web/log"
cp "$top/tests/data/yunohost/apps.json" "$web/www/"
gated "$me" towerify-app import "$at/apps.json"
is 'gate: a catalogue that is listed' 0 '' '3 apps: 3 added, 0 changed, 0 removed'
gated "$me" towerify-app import "$at/to//apps.json"
like 'gate: and no other' 77 '' "*$at/to//apps.json: not among*"
rm "$TOWERIFY_STATE/fetch.yaml"

# --- catalogues ------------------------------------------------------------------------------

import=towerify-app
try $import import "$at/to//apps.json"
is 'import: an address' 0 '' '3 apps: 0 added, 0 changed, 0 removed'
sed 's/"branch": "master"/"branch": 7/' "$web/www/apps.json" >"$web/www/bad.json"
try $import import "$at/bad.json"
like 'import: a bad catalogue' 65 '' "$at/bad.json:*branch*"
head -c 500 "$web/www/apps.json" >"$web/www/half.json"
try $import import "$at/half.json"
like 'import: half of one' 65 '' "$at/half.json:*"
try $import import "$at/none.json"
is 'import: none' 65 '' "towerify-app: $at/none.json: answered with status 404"
try $import import "$at/endless"
is 'import: too much of one' 65 '' "towerify-app: $at/endless: larger than 33554432 bytes"
try $import import "$web/www/apps.json"
is '... all leave the old one' 0 '' '3 apps: 0 added, 0 changed, 0 removed'
ok '... and nothing in the cache' test ! -e "$cache"

# --- https -----------------------------------------------------------------------------------

if command -v openssl >/dev/null; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=test -addext subjectAltName=IP:127.0.0.1 -days 2 \
		-keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
	# it says its port, or nothing, and reads commands
	mkfifo "$work/tls.in"
	(cd "$web/www" && exec openssl s_server -accept 127.0.0.1:0 -WWW \
		-cert "$work/tls.crt" -key "$work/tls.key" \
		<"$work/tls.in" >"$work/tls.out" 2>&1) &
	tls=$!
	exec 4>"$work/tls.in"
	trap 'kill "$httpd" "$tls" 2>/dev/null || :; tower_clean' EXIT
	until_ grep -q '^ACCEPT 127.0.0.1:' "$work/tls.out"
	tls_at=https://127.0.0.1:$(sed -n 's/^ACCEPT 127.0.0.1://p' "$work/tls.out")
	change "$tls_at/a" "$a" >"$work/tls.yaml"
	try $queue add h1 "$work/tls.yaml"
	like 'https: a certificate that nobody signed' 65 '' \
		"*$tls_at/a: *certificate*"
	try env SSL_CERT_FILE="$work/tls.crt" $queue add h1 "$work/tls.yaml"
	like 'https: one that is known' 0 '[0-9]*' ''
	kill "$tls"
	wait "$tls" 2>/dev/null || :
	exec 4>&-
else
	skip 'https' 'no openssl'
fi

# --- without the helper ------------------------------------------------------------------------

rm -rf "$cache"
mkdir "$work/alone"
cp "$(command -v $queue)" "$work/alone/"
try "$work/alone/$queue" add h1 "$work/a.yaml"
like 'the helper is missing' 78 '' '*step 1: cannot run */towerify-fetch: No such file*'
try "${abs_top_builddir:-$(dirname "$(command -v $queue)")/..}/bin/towerify-fetch" </dev/null
like 'the helper by hand' 70 '' '*'
ok 'the trail is whole' towerify-audit verify
finish
