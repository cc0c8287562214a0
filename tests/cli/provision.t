#!/bin/sh
# provision.t - towerify-host provision: what it refuses, says, asks and files
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

TOWERIFY_CATALOG=$top/share/catalog
export TOWERIFY_CATALOG
tower_sshd
tower_host web1
echo 'correct horse' >"$work/password"

# facts ADDED: those of a server that will do, and more
facts() {
	sql "UPDATE host SET facts = json_patch('{\"os\":\"debian\",
		\"os_version\":\"12\",\"arch\":\"x86_64\",\"uid\":\"0\",
		\"memory_kb\":\"2000000\",\"disk_free_kb\":\"20000000\",
		\"systemd\":\"yes\",\"software\":\"\"}', '${1-{\}}'),
		user = 'root', sudo = 0"
}
provision() {
	try towerify-host provision web1 -p domain=shop.example -p admin=boss \
		-p "admin_password@$work/password" "$@"
}
nothing_filed() {
	test -z "$(towerify-queue list --all -n -o id)"
}
steps='step 4: YunoHost is installed, declared impossible
step 6: post-installation, and the tower'\''s key for the administrator, declared impossible'
said="no undo, a failure after these holds the host:
$steps
successor login: boss, with sudo"

# --- refused -----------------------------------------------------------------------

facts '{"os_version":"13","arch":"sparc64","memory_kb":"262144",
	"disk_free_kb":"1048576","systemd":"no","uid":"1000",
	"software":"apache2 nginx yunohost"}'
provision --yes
is 'all that is missing is said at once' 1 '' \
	"towerify-host: web1: os_version: needs 12, has 13
towerify-host: web1: arch: needs x86_64, aarch64, armv7l or i686, has sparc64
towerify-host: web1: memory: needs 450 MiB, has 256 MiB
towerify-host: web1: disk: needs 4 GiB, has 1 GiB
towerify-host: web1: systemd: needs it, has another init, or none
towerify-host: web1: root: needs it, the tower works there as somebody else
towerify-host: web1: without: needs a host without apache2, has it
towerify-host: web1: without: needs a host without nginx, has it
towerify-host: web1: without: needs a host without yunohost, has it"
facts '{"software":null}'
provision --yes
is 'what is not known is missing' 1 '' "towerify-host: web1: without: needs a \
host without apache2, caddy, haproxy, lighttpd, nginx or yunohost, which is not \
known: run towerify-host check web1 first"
facts
try towerify-host provision web1 --yes
is 'what it needs to know is said at once' 2 '' \
	"towerify-host: parameter 'domain' is required
hint: the host's main domain, as shop.example
towerify-host: parameter 'admin' is required
hint: login of the first administrator, which the tower takes over
towerify-host: parameter 'admin_password' is required
hint: their password, at least 8 characters"
try towerify-host provision web1 --yes -p domain=shop.example -p admin=boss \
	-p admin_password=secret123
like 'the password does not go on a command line' 2 '' '*admin_password*@*'
ok '... and is not repeated' eval '! grep -q secret123 "$work/err"'
provision --yes -p tower_key=x
is 'nor is the key the caller'\''s to give' 2 '' \
	"towerify-host: parameter 'tower_key' is the tower's to give"
for bad in domain=shop domain=-a.b admin=Boss admin=a.b admin=root-x \
	installer_url=file:///etc/passwd installer_url=ftp://x/y \
	installer_sha256=abc; do
	try towerify-host provision web1 --yes -p domain=shop.example \
		-p admin=boss -p "admin_password@$work/password" -p "$bad"
	like "$bad: refused" 2 '' "*parameter*${bad%%=*}*"
done
try towerify-host provision web2 --yes -p domain=a.example
like 'no such host' 1 '' "towerify-host: no host 'web2'*"
try towerify-host provision 'web*' --yes -p domain=a.example
like 'one at a time' 1 '' "towerify-host: no host 'web\*'*"
sql "UPDATE host SET user = 'deploy'"
provision --yes
is 'a login that is not root'\''s: the spool would not do' 1 '' \
	"towerify-host: web1: its successor login boss with sudo would not be \
deploy there: the spool is that user's"
facts
TOWERIFY_CATALOG=$work/none
provision --yes
like 'without its file' 78 '' "towerify-host: $work/none/yunohost-host.yaml: *"
TOWERIFY_CATALOG=$top/share/catalog
ok 'nothing of all that was filed' nothing_filed

# --- asked ------------------------------------------------------------------------------

try setsid -w towerify-host provision web1 -p domain=shop.example \
	-p admin=boss -p "admin_password@$work/password"
is 'off a terminal it wants to be told' 2 '' "$said
towerify-host: web1: there is no terminal to ask on whether to do what can't be \
undone
hint: --yes"
ok '... and files nothing' nothing_filed
command="towerify-host provision web1 -p domain=shop.example -p admin=boss \
-p admin_password@$work/password"
on_terminal n "$command"
ok 'on a terminal it asks: no' test "$status" -eq 1
ok '... and files nothing' nothing_filed
ok '... it says what has no way back' grep -q 'step 4: YunoHost is installed' \
	"$work/screen"
ok '... and what login comes after' grep -q \
	'the tower logs in as boss, with sudo from then on' "$work/screen"
on_terminal y "$command"
ok '... yes' test "$status" -eq 0
ok '... and files it' test "$(towerify-queue list -n -o id | xargs)" = 1
quietly towerify-queue cancel 1

# --- filed ------------------------------------------------------------------------------

provision --yes --key once --reason 'a new shop'
is 'told so, it prints the number' 0 2 "$said"
facts '{"software":"nginx yunohost"}'
provision --yes --key once
is 'the same key: the same one, whatever the host has become' 0 2 \
	'filed before under this key'
facts
try towerify-queue show -J 2
json 'it shows the login that follows' '.successor == "boss, with sudo" and
	.successor_at == null'
json '... and what was given, with the tower'\''s own key' \
	'.params | if type == "string" then fromjson else . end |
	.domain == "shop.example" and (.tower_key | startswith("ssh-ed25519 "))'
ok '... which is the one that the tower logs in with' eval \
	'test "$(towerify-host key)" = "$(jq -r ".params |
	if type == \"string\" then fromjson else . end | .tower_key" "$work/out")"'
ok '... and not the password' eval '! grep -q "correct horse" "$work/out"'
json '... nor is any step but two without a way back' \
	'[.steps[] | select(.undoable == "impossible") | .k] == [4, 6]'
ok 'the audit trail has the successor and both grants' eval \
	'towerify-audit list -J --change 2 | jq -e ".records[] |
	select(.action == \"change.file\") | .detail |
	if type == \"string\" then fromjson else . end |
	.successor == \"boss, with sudo\" and .grant and .host_grant"'
try towerify-queue retry 1
like 'a retry needs the password again' 2 '' '*give -p admin_password@FILE'
try towerify-queue retry 1 -p "admin_password@$work/password"
like '... given it, it is filed again' 0 3 ''
try towerify-queue show -J 3
json '... with the same successor' '.successor == "boss, with sudo"'
quietly towerify-queue cancel 2 3

# --- another key ------------------------------------------------------------------------------

cp "$work/sshd/id_ed25519" "$work/mykey"
quietly towerify-host set web1 "identity=$work/mykey"
provision --yes
like 'a key of the host'\''s own needs its public part' 78 '' \
	"*mykey.pub*hint: the public part of $work/mykey must lie beside it*"
cp "$work/sshd/id_ed25519.pub" "$work/mykey.pub"
provision --yes -q
try towerify-queue show -J 4
json '... which is the one that is put there' "$(printf \
	'.params | if type == "string" then fromjson else . end |
	.tower_key == "%s"' "$(cat "$work/mykey.pub")")"
finish
