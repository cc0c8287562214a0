#!/bin/sh
# yunohost.t - the stand-in for YunoHost's command does what its head says
set -eu

here=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-yunohost.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=tests/lib/tap.sh
. "$here/tap.sh"

YUNOHOST_STANDIN=$work/state
LC_ALL=C.UTF-8
export YUNOHOST_STANDIN LC_ALL
state=$YUNOHOST_STANDIN

yunohost() {
	"$here/yunohost" "$@" < /dev/null
}

# wrong VERB WORDS…: how the next one goes wrong.
wrong() {
	verb=$1
	shift
	echo "$*" > "$state/switch/$verb"
}

# What the log has of the last operation.
last() {
	yunohost log list --limit 1 --output-as json > "$work/last"
	sed 's/.*"name": "[0-9]*-[0-9]*-\([^"]*\)".*"success": \([^,]*\),.*/\1 \2/' \
		"$work/last"
}

last_is() {
	ok "$1" test "$(last)" = "$2"
}

# --- Before postinstall

try yunohost app list
is 'nothing works before postinstall, said on stdout' 1 \
	"Error: YunoHost is not correctly installed. Please execute 'yunohost tools postinstall'" ''
try yunohost tools versions --output-as json
json 'but versions do' '.yunohost.version == "12.1.39"'
try yunohost tools postinstall -d example.org -u alice -F 'Alice A' -p 'a long word'
like 'postinstall wants the terms accepted' 1 '' 'Error: *terms*'
try yunohost tools postinstall -d Example -u alice -F 'Alice A' -p 'a long word' \
	--i-have-read-terms-of-services
like 'and a domain' 1 '' 'Error: *domain*'
mkdir -p "$state/hook"
printf '#!/bin/sh\necho done > %s\n' "$work/hooked" > "$state/hook/tools-postinstall"
chmod +x "$state/hook/tools-postinstall"
try yunohost tools postinstall --domain example.org --username alice \
	--fullname 'Alice A' --password 'a long word' --i-have-read-terms-of-services
like 'postinstall makes the domain and the first user' 0 '' '*configured'
ok 'and runs its hook' test -e "$work/hooked"
last_is 'and is in the log' 'tools_postinstall true'
try yunohost tools postinstall -d a.org -u a -F A -p 'a long word' \
	--i-have-read-terms-of-services
is 'a second one is refused' 1 '' 'Error: YunoHost is already installed'

# --- Domains and users

try yunohost domain add app.example.org
like 'a domain is added' 0 '' '*Success*'
try yunohost domain add app.example.org
is 'one that is there exits 1' 1 '' \
	'Error: the domain app.example.org already exists'
try yunohost domain list --output-as json
is 'domain list' 0 \
	'{"domains": ["app.example.org", "example.org"], "main": "example.org"}' ''
try yunohost domain remove example.org
like 'the main domain stays' 1 '' 'Error: *main domain*'
try yunohost user create bob -F 'Bob "B" \ é' -p 'a long word' --output-as json
json 'a user is created' '.username == "bob" and .mail == "bob@example.org"'
try yunohost user create bob -F Bob -p 'a long word'
is 'one that is there exits 1' 1 '' "Error: the user 'bob' already exists"
try yunohost user create carol -F Carol -p short
like 'a short password is refused' 1 '' 'Error: *8 characters'
try yunohost user list --output-as json
json 'user list' '.users.bob.fullname == "Bob \"B\" \\ é" and (.users | length) == 2'
try yunohost user delete bob --purge
ok 'a user is deleted' test "$status" -eq 0
try yunohost user delete bob
like 'one that is not there exits 1' 1 '' 'Error: *unknown'

# --- Apps

cat > "$state/catalog/blog" <<'END'
name Blog
version 1.0~ynh1
multi yes
data yes
question domain domain required
question path path required /blog
question admin user required
question password password required
question language select required en
choices language en,fr
question public boolean required 1
question title string optional
END
try yunohost app install blog --args 'domain=app.example.org&admin=alice&password=a%20long+w%26rd&title=%C3%89t%C3%A9%3D1%252&public=no&path=/x/&path=/b/' --force
like 'an app is installed' 0 '' '*Success*'
ok 'answers are decoded as parse_qsl does' test \
	"$(cat "$state/apps/blog/title")" = 'Été=1%2'
ok 'the last answer of a name counts, in its normal form' test \
	"$(cat "$state/apps/blog/path")" = /b
ok 'a boolean is 1 or 0' test "$(cat "$state/apps/blog/public")" = 0
ok 'a default is put in' test "$(cat "$state/apps/blog/language")" = en
ok 'a password is kept nowhere' sh -c '! grep -r "long w" "$1"' - "$state"
try yunohost app info blog --output-as json
is 'app info' 0 '{"description": "It stands for blog", "name": "Blog", "version": "1.0~ynh1", "domain_path": "app.example.org/b"}' ''
try yunohost app list --output-as json
is 'app list' 0 '{"apps": [{"description": "It stands for blog", "name": "Blog", "version": "1.0~ynh1", "domain_path": "app.example.org/b", "id": "blog"}]}' ''
last_is 'the install is in the log' 'app_install-blog true'

good='domain=app.example.org&admin=alice&password=12345abcde'
for bad in domain=none.org path= admin=bob password=short public=maybe language=de; do
	try yunohost app install blog --args "$good&path=/c&$bad" --force
	if [ "$bad" = path= ]; then
		like 'an empty answer is the default' 0 '' '*Success*'
	else
		is "refused: $bad" 1 '' \
			"Error: invalid value for the argument '${bad%%=*}'"
	fi
done
ok 'a second instance has a number' test -d "$state/apps/blog__2"
try yunohost app install blog --args domain=app.example.org --force
is 'a missing answer is refused' 1 '' "Error: argument 'admin' is required"
try yunohost app install blog --args "$good&path=/b"
is 'a URL that is taken is refused' 1 '' \
	'Error: this URL is not available: blog has it'
try yunohost app install none
is 'an unknown app is refused' 1 '' "Error: unknown app 'none'"
try yunohost domain remove app.example.org
like 'a domain with apps stays' 1 '' 'Error: *still installed*'

try yunohost app upgrade blog
is 'up to date exits 1' 1 '' 'Error: blog is already up to date'
wrong app-upgrade fine
try yunohost app upgrade blog
like 'or 0, where a test wants it' 0 '' '*already up to date*'
sed -i 's/^version .*/version 1.1~ynh1/' "$state/catalog/blog"
try yunohost app list --upgradable --output-as json
json 'what can be upgraded' '.apps | length == 2 and .[0].new_version == "1.1~ynh1"'

version() {
	cat "$state/apps/blog/version"
}
wrong app-upgrade lie
try yunohost app upgrade blog
like 'an upgrade that lies exits 0' 0 '' '*'
ok 'and has done nothing' test "$(version)" = 1.0~ynh1
last_is 'as only the log says' 'app_upgrade-blog false'
wrong app-upgrade fail
try yunohost app upgrade blog
like 'an upgrade that fails restores its backup' 1 '' '*could not be upgraded'
ok 'the old version is there' test "$(version)" = 1.0~ynh1
wrong app-upgrade fail lost
try yunohost app upgrade blog
like 'and may exit 0' 0 '' '*could not be upgraded'
try yunohost app upgrade blog
ok 'the next one is good again' test "$(version)" = 1.1~ynh1
try yunohost backup list --output-as json
json 'safety backups take turns' '.archives == ["blog-pre-upgrade2"] or .archives == ["blog-pre-upgrade1"]'
wrong app-upgrade half
try yunohost app upgrade blog__2
like 'an upgrade may lose the app' 1 '' '*gone'
ok 'it is gone' test ! -e "$state/apps/blog__2"

# --- Backups

try yunohost backup create --name one --apps blog --output-as json
json 'backup create' '.name == "one" and .results.apps.blog == "Success"'
try yunohost backup create -n one --apps blog
is 'a name that is taken exits 1' 1 '' \
	'Error: a backup archive named one already exists'
wrong backup-create lie
try yunohost backup create -n two --apps blog
is 'a backup that lies exits 0' 0 '' 'Info: collecting files'
ok 'and has made none' test ! -e "$state/backups/two"
wrong backup-create half
try yunohost backup create -n two --apps blog --output-as json
json 'one may be empty' '.results.apps.blog == "Error"'
try yunohost backup info two --output-as json
json 'as backup info says' '.apps == {}'
try yunohost backup list --output-as json
json 'backup list has the oldest first' '.archives[-2:] == ["one", "two"]'
try yunohost backup restore one --apps blog --force
like 'what is installed is not restored' 1 '' '*already installed*'

wrong app-remove lie
try yunohost app remove blog
ok 'a removal that lies exits 0' test "$status" -eq 0
ok 'and the app is there' test -d "$state/apps/blog"
wrong app-remove half
try yunohost app remove blog
like 'a removal whose script fails exits 0' 0 '' '*not been properly removed'
ok 'its files are left' test -d "$state/www/blog"
last_is 'and the log is content' 'app_remove-blog true'
ok 'its data too, without --purge' test -d "$state/data/blog"
try yunohost app remove blog
like 'an app that is not there exits 1' 1 '' 'Error: could not find blog*'
try yunohost backup restore one --apps blog --force --output-as json
json 'an app is restored' '.apps.blog == "Success"'
try yunohost app remove blog --purge
ok 'purged with its data' test ! -e "$state/data/blog"
try yunohost backup delete one two
ok 'archives are deleted' test ! -e "$state/backups/one"
try yunohost backup delete one
like 'one that is not there exits 1' 1 '' 'Error: unknown*'

# --- Half installs, noise, calls

wrong app-install half
try yunohost app install blog --args "$good"
like 'an install may be left half done' 1 '' '*not cleaned up'
ok 'it is listed' test -d "$state/apps/blog"
try yunohost app remove blog --purge
wrong app-install fail
try yunohost app install blog --args "$good"
like 'or fail cleanly' 1 '' '*failed'
ok 'with nothing left' test ! -e "$state/apps/blog"
wrong app-install noisy
yunohost app install blog --args "$good" > "$work/out" 2> "$work/err"
ok 'progress goes to stderr' test "$(wc -l < "$work/err")" -gt 2000
ok 'and nothing to stdout' test ! -s "$work/out"
ok 'a call is recorded, without its arguments' grep -q \
	'^app-install LC_ALL=C.UTF-8 terminal=no status=0$' "$state/calls"

# --- Settings and words

try yunohost settings set security.ssh.port -v 2222
try yunohost settings get security.ssh.port --output-as json
is 'a setting is kept' 0 '"2222"' ''
try yunohost app frob
like 'an unknown action is a usage error' 2 '' 'usage: *'
try yunohost app install blog --args
like 'so is an option without its value' 2 '' '*expected one argument'
try yunohost app remove blog --purgee
like 'so is an unknown option' 2 '' '*unrecognized arguments: --purgee'
try yunohost app list --output-as xml
like 'so is an unknown form' 2 '' '*invalid choice*'
try yunohost log list --limit x
like 'so is a limit that is no number' 2 '' '*invalid int value*'
try yunohost log list --limit 3 --output-as json
json 'log list has the newest last' '(.operation | length) == 3 and
	(.operation[2].name | endswith("settings_set-security.ssh.port")) and
	(.operation[2].started_at | test("^[0-9-]{10} [0-9:]{8}$"))'

# --- The lock

wrong domain-add slow 2
yunohost domain add slow.org > "$work/slow" 2>&1 &
slow=$!
until_ test -s "$state/lock"
try yunohost domain list
ok 'a list does not wait for the lock' test "$status" -eq 0
ok 'the slow one still has it' test -s "$state/lock"
try yunohost domain add next.org
ok 'what changes something waits' test -e "$state/domains/slow.org"
wait "$slow"
ok 'the lock is given back' test ! -e "$state/lock"
wrong domain-add crash
try yunohost domain add crash.org
ok 'a crash is a signal' test "$status" -gt 128
ok 'and leaves the lock' test -s "$state/lock"
last_is 'and an operation without an end' 'domain_add-crash.org "?"'
try yunohost domain add after.org
ok 'a stale lock is taken over' test -e "$state/domains/after.org"
printf '%s' $$ > "$state/lock"
try yunohost domain add child.org
ok 'a child of the holder passes' test -e "$state/domains/child.org"
sleep 60 &
other=$!
printf '%s' "$other" > "$state/lock"
try timeout 2 "$here/yunohost" domain add never.org
ok 'a live holder is waited for without an end' test "$status" -eq 124
kill "$other"
finish
