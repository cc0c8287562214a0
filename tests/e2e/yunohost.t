#!/bin/sh
# yunohost.t - apps of YunoHost's catalogue from import to undeploy, through queue
# and runner, on a host whose YunoHost is a stand-in
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
command -v python3 >/dev/null || {
	echo '1..0 # SKIP no python3'
	exit 0
}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

mkdir -p "$work/bin/yunohost.state"
ln -s "$top/tests/lib/yunohost" "$work/bin/yunohost"
state=$work/bin/yunohost.state
yunohost() {
	"$work/bin/yunohost" "$@" </dev/null >"$work/yunohost.out" 2>&1
}
yunohost tools postinstall -d example.org -u alice -F Alice -p 'a long word' \
	--i-have-read-terms-of-services
cat >"$state/catalog/blog" <<'END'
name Blog
version 2.1~ynh3
multi yes
data yes
service yes
question domain domain required
question path path required /blog
question admin user required
question password password required
question title string optional
question comments boolean required 0
question posts number required 10
END

# The kinds, where the stand-in is the host's YunoHost.
cp -R "$top/share/kinds" "$work/kinds"
chmod -R u+w "$work/kinds"
sed -i -e "s|^YUNOHOST=.*|YUNOHOST=$work/bin/yunohost|" \
	-e "s|^YUNOHOST_FILES=.*|YUNOHOST_FILES=$state/www|" \
	-e "s|^YUNOHOST_DATA=.*|YUNOHOST_DATA=$state/data|" \
	-e "s|=/run/towerify-yunohost.lock|=$work/yunohost.lock|" \
	-e "s|^YUNOHOST_PATIENCE=.*|YUNOHOST_PATIENCE=5|" \
	"$work/kinds/lib/yunohost"
TOWERIFY_KINDS=$work/kinds
export TOWERIFY_KINDS

tower_sshd
tower_hosts 1
towerify-host -q check h1 >/dev/null
# What this machine is must not matter.
fact() {
	sql "UPDATE host SET facts = json_set(facts, '\$.$1', '$2')"
}
fact os debian
fact arch x86_64
fact systemd yes
fact uid 0
fact memory_kb 2000000
fact disk_free_kb 20000000

app() {		# app VERB…: quietly; $id is the last change
	status=0
	tried="towerify-app $*"
	towerify-app -q "$@" >"$work/out" 2>"$work/err" || status=$?
	# shellcheck disable=SC2034 # for the script
	id=$(tail -n 1 "$work/out")
}
instance_is() {	# instance_is NAME "VERSION STATE"
	have=$(towerify-app instances h1 -o name,version,state --tsv -n |
		tr '\t' ' ' | sed -n "s/^$1 //p")
	[ "$have" = "$2" ] || {
		echo "instance: $have"
		towerify-queue log "$id" | tail -n 30
		cat "$work/err"
		return 1
	}
}
version_is() {	# version_is ID VERSION, on the host
	have=$(cat "$state/apps/$1/version" 2>/dev/null || echo none)
	[ "$have" = "$2" ] || { echo "version: $have"; return 1; }
}
calls() {	# calls N VERB: so often since the last look
	have=$(grep -c "^$2 " "$state/calls" || :)
	[ "$have" -eq "$1" ] || { cat "$state/calls"; return 1; }
}
wrong() {	# wrong VERB WORDS…
	verb=$1
	shift
	echo "$*" >"$state/switch/$verb"
}
printf '%s\n' "it's a long =&%/wörd" >"$work/password"
set -- -p domain=example.org -p admin=alice -p "password@$work/password"

# --- the catalogue -----------------------------------------------------------------

cp -R "$top/tests/data/yunohost" "$work/checkout"
chmod -R u+w "$work/checkout"
jq '.apps.blog = (.apps.wiki | .id = "blog" | .manifest.id = "blog")' \
	"$top/tests/data/yunohost/apps.json" >"$work/checkout/apps.json"
quietly towerify-app import "$work/checkout/apps.json"
app deploy blog h1 "$@"
like 'an app whose questions nobody knows is not deployed' 1 '' \
	'towerify-app: what blog asks is not known*hint: curl -fsSL https*manifest.toml | towerify-app add -'
try towerify-app -q add "$work/checkout/manifests/blog.toml"
is 'its manifest is added' 0 'blog@2.1~ynh3' ''
try towerify-app -q add - <"$work/checkout/manifests/blog.toml"
is '... and once more' 0 'blog@2.1~ynh3' ''
try towerify-app show blog -J
json '... and shown with its questions as parameters' '(.params | map(.name) | join(" ")) ==
	"domain path init_main_permission admin password title language theme comments posts topics begin" and
	(.params[] | select(.name == "password") | .type) == "secret" and
	(.params[] | select(.name == "posts") | .type + .default) == "integer10" and
	.level == 8 and .state == "working"'
try towerify-audit list -J
json '... as the audit trail says, once' '[.records[] |
	select(.action == "app.manifest")] | length == 1'

# --- before anything is filed ------------------------------------------------------

app deploy blog h1 -p domain=Example -p path=blog -p posts=0 -p comments=perhaps \
	-p nonsense=1 -p language=de -p 'admin=Al ice'
ok 'wrong values' test "$status" -eq 2
for word in domain path posts comments nonsense language admin password; do
	ok "... say what is wrong with $word" grep -q "$word" "$work/err"
done
app deploy blog h1 -p domain=example.org -p admin=alice -p password=hushhush1
like 'a password on the command line' 2 '' '*password*'
ok '... is not repeated' sh -c '! grep -q hush "$1"' - "$work/err"
app deploy blog h1 --name shop "$@"
like 'a name that YunoHost would not give' 1 '' \
	"towerify-app: YunoHost does not take 'shop'*blog, blog__2*"
fact systemd no
fact memory_kb 100000
app deploy blog h1 "$@"
like 'what the host lacks is said' 1 '' '*memory: needs 200 MiB*systemd: needs it*'
fact systemd yes
fact memory_kb 2000000
ok '... and nothing was filed' test -z "$(towerify-queue list --all --tsv -n)"

# --- deploy -----------------------------------------------------------------------

mv "$work/bin/yunohost" "$work/bin/kept"
app deploy blog h1 "$@" --run --wait
ok 'a host without YunoHost' status_is "$id" rolled-back
ok '... is a rollback' test "$status" -eq 3
ok '... says so' sh -c 'towerify-queue log "$1" |
	grep -q "not a YunoHost host"' - "$id"
ok '... and has no instance' instance_is blog ''
mv "$work/bin/kept" "$work/bin/yunohost"
: >"$state/calls"

wrong app-install slow 2
app deploy blog h1 "$@" -p 'title=Été & co' -p comments=yes
run_bg
until_ test -s "$state/lock"
printf '%s\nl%%20%s\nong%%20\n' 'long =' 'ong' >"$work/patterns"
ok 'a password is in no list of processes' sh -c \
	'! cat /proc/[0-9]*/cmdline 2>/dev/null | grep -aqFf "$1"' - \
	"$work/patterns"
run_ends
ok 'an app of YunoHost is deployed' status_is "$id" succeeded
ok '... runs' instance_is blog '2.1~ynh3 running'
ok '... is there' version_is blog 2.1~ynh3
ok '... with its answers' test "$(cat "$state/apps/blog/title")" = 'Été & co'
ok '... of every type' test "$(cat "$state/apps/blog/comments" \
	"$state/apps/blog/posts")" = 110
ok '... and the name of the operation in the record' sh -c \
	'towerify-queue log "$1" | grep -q "app_install-blog, success: true"' - "$id"
ok '... and no password anywhere' sh -c '! grep -raqF "long =" "$@"' - \
	"$TOWERIFY_STATE" "$state" "$work"/spool-*
ok '... nor in the parameters' test "$(towerify-app instances h1 -J |
	jq -r '.instances[0].params | has("password")')" = false

printf 'noisy-%s\n' 'word1234' >"$work/loud"
mkdir -p "$state/hook"
printf '#!/bin/sh\necho "it is noisy-word1234, in truth" >&2\n' \
	>"$state/hook/app-install"
chmod +x "$state/hook/app-install"
app deploy blog h1 --name blog__2 -p domain=example.org -p admin=alice \
	-p path=/two -p "password@$work/loud" --run --wait
ok 'a second instance' instance_is blog__2 '2.1~ynh3 running'
ok '... is there under its number' version_is blog__2 2.1~ynh3
ok '... a password that it prints is masked' sh -c \
	'towerify-queue log "$1" | grep -qF "it is ***, in truth"' - "$id"
rm "$state/hook/app-install"
app deploy blog h1 --name blog__4 "$@" -p path=/four --run --wait
ok 'one that leaves a number out is rolled back' instance_is blog__4 ''

for how in fail 'half' 'half lost' lie; do
	# shellcheck disable=SC2086 # words
	wrong app-install $how
	app deploy blog h1 --name blog__3 "$@" -p path=/three --run --wait
	ok "an install that goes $how is rolled back" test "$status" -eq 3
	ok '... and leaves nothing' test ! -e "$state/apps/blog__3" -a \
		! -e "$state/www/blog__3"
	ok '... and no instance' instance_is blog__3 ''
done

# --- stop and start ---------------------------------------------------------------

app stop blog h1 --run --wait
ok 'it is stopped' instance_is blog '2.1~ynh3 stopped'
ok '... in truth' test "$(cat "$state/services/blog")" = dead
ok '... and it alone' test "$(cat "$state/services/blog__2")" = running
app start blog h1 -p title=Other
like 'a start changes no answer' 2 '' \
	"towerify-app: start leaves parameter 'title' as it is*"
wrong service-start lie
app start blog h1 --run --wait
ok 'a start that does nothing is rolled back' instance_is blog '2.1~ynh3 stopped'
app start blog h1 --run --wait
ok 'it is started' instance_is blog '2.1~ynh3 running'

# --- upgrade ----------------------------------------------------------------------

app upgrade blog h1
ok 'nothing newer: nothing to do' test "$status$(cat "$work/out")" = 0
sed -i 's/2\.1~ynh3/2.2~ynh1/' "$work/checkout/manifests/blog.toml"
quietly towerify-app add "$work/checkout/manifests/blog.toml"
app upgrade blog h1 -p title=Other
like 'an upgrade changes no answer' 2 '' \
	"towerify-app: upgrade leaves parameter 'title' as it is*"
app upgrade blog h1 --run --wait
ok 'a host that knows nothing newer' test "$status" -eq 3
ok '... keeps what it has' instance_is blog '2.1~ynh3 running'
sed -i 's/^version .*/version 2.2~ynh1/' "$state/catalog/blog"
echo precious >"$state/data/blog/file"
for how in fail 'fail lost' 'half lost' lie; do
	# shellcheck disable=SC2086 # words
	wrong app-upgrade $how
	app upgrade blog h1 --run --wait
	ok "an upgrade that goes $how is rolled back" test "$status" -eq 3
	ok '... to the old version' version_is blog 2.1~ynh3
	ok '... which runs' instance_is blog '2.1~ynh3 running'
done
wrong app-upgrade half
wrong backup-restore lie
app upgrade blog__2 h1 --run --wait
ok 'one that can not be restored' test "$status" -eq 4
ok '... is failed, not rolled back' instance_is blog__2 '2.1~ynh3 failed'
ok '... and holds the host' host_is h1 held
quietly towerify-host release h1
yunohost backup restore "$(basename "$(ls -d "$state"/backups/blog__2-* |
	tail -n 1)")" --apps blog__2 --force
app upgrade blog__2 h1 --run --wait
ok '... until it is mended by hand and upgraded' instance_is blog__2 '2.2~ynh1 running'

# The executor dies in the midst.
: >"$state/calls"
wrong app-upgrade slow 60
app upgrade blog h1
run_bg
until_ test -s "$state/lock"
until_ sh -c 'ls "$1" | tail -n 1 | grep -q app_upgrade' - "$state/log"
kill -KILL "$(executor "$work/spool-h1")"
run_ends
hurry
run_
ok 'an executor killed in an upgrade: rolled back' status_is "$id" rolled-back
ok '... upgraded no second time' calls 0 app-upgrade
ok '... and the old version runs' instance_is blog '2.1~ynh3 running'
ok '... in truth' version_is blog 2.1~ynh3
# The connection goes, the host goes on.
: >"$state/calls"
wrong app-upgrade slow 2
app upgrade blog h1
run_bg
until_ test -s "$state/lock"
sshd_sessions "$work/sshd"
run_ends
hurry
run_
ok 'a connection cut in an upgrade' status_is "$id" succeeded
ok '... upgraded once' calls 1 app-upgrade
ok '... with its data' test "$(cat "$state/data/blog/file")" = precious
ok '... and its parameters' test "$(towerify-app instances h1 -J | jq -r \
	'.instances[] | select(.name == "blog") | .params.title')" = 'Été & co'

# --- undeploy ---------------------------------------------------------------------

jq 'del(.apps.blog)' "$work/checkout/apps.json" | towerify-app -q import -
app undeploy blog h1 --run --wait
ok 'an app is undeployed, though the catalogue has it no more' instance_is blog ''
ok '... is gone' version_is blog none
ok '... was saved' sh -c 'ls -d "$1"/backups/blog-*/blog' - "$state"
ok '... and its data stay' test -e "$state/data/blog/file"
wrong app-remove half
app undeploy blog__2 h1 --run --wait
ok 'a removal that leaves files is rolled back' test "$status" -eq 3
ok '... and the app is there' instance_is blog__2 '2.2~ynh1 running'
ok '... in truth' version_is blog__2 2.2~ynh1
: >"$state/calls"
towerify-app undeploy blog__2 h1 --no-backup --run --wait >"$work/out" 2>"$work/err"
ok 'without a backup' version_is blog__2 none
ok '... none is made' calls 0 backup-create
ok '... and that it can not be undone was said' grep -q 'declared impossible' \
	"$work/err"
leave
