#!/bin/sh
# app.t - towerify-app: the catalogue, and what is refused before it is filed;
# what becomes of apps on hosts: tests/e2e/app.t
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

app=towerify-app
data=$top/tests/data/yunohost

# --- add -------------------------------------------------------------------------

mkdir "$work/wiki"
echo 'the page' >"$work/wiki/page.txt"
cat >"$work/wiki/app.yaml" <<'EOF'
towerify-app: 1
app: wiki
version: '1.0'
title: A wiki
description: Pages for everybody
params:
  domain: {type: string, required: true, description: where it is}
  workers: {type: integer, default: 4}
exports: {page: 'http://{{domain}}/{{app_instance}}'}
requires: {os: debian, memory: 100000G}
deploy:
  - name: page
    file: {path: /srv/wiki, source: page.txt}
start:
  - {run: "true", undo: nothing}
undeploy:
  - {run: rm /srv/wiki, undo: nothing}
EOF
try $app add "$work/wiki"
is 'a directory is added' 0 'wiki@1.0' ''
try $app add "$work/wiki/app.yaml"
is '... and again' 0 'wiki@1.0' 'it was there already'
echo 'another page' >"$work/wiki/page.txt"
try $app add "$work/wiki"
is 'another content is another version' 1 '' \
	"towerify-app: wiki@1.0 is there with another content
hint: a version is never changed: give it another 'version'"
sed "s/'1.0'/'1.10'/" "$work/wiki/app.yaml" >"$work/wiki/new.yaml"
try $app add "$work/wiki/new.yaml"
is 'a file beside what its steps name' 0 'wiki@1.10' ''
sed "s/'1.0'/'1.9'/; s/source: page.txt/content: x/" "$work/wiki/app.yaml" \
	>"$work/nine.yaml"
try $app add - <"$work/nine.yaml"
is 'standard input' 0 'wiki@1.9' ''
sed 's|source: page.txt|source: ../nine.yaml|' "$work/wiki/app.yaml" \
	>"$work/wiki/out.yaml"
try $app add "$work/wiki/out.yaml"
like 'no file outside' 65 '' \
	"*out.yaml:13:*../nine.yaml: is not inside the directory of the app*"
printf 'towerify-app: 1\napp: wiki\nversion: "2"\nfoo: 1\n' >"$work/bad.yaml"
try $app add "$work/bad.yaml"
like 'a bad file: all that is wrong' 65 '' "*bad.yaml:4:1:*foo*deploy*"
try $app add "$work/none.yaml"
is 'no such file' 65 '' \
	"towerify-app: $work/none.yaml: cannot open: No such file or directory"

# --- list, show ------------------------------------------------------------------

try $app list -n -o name,version
is 'the newest comes first' 0 "wiki 1.10
wiki 1.9
wiki 1.0" ''
try $app show wiki -o version --tsv -n
is 'show: the newest' 0 1.10 ''
try $app show wiki@1.9 -J
json 'show: a version, for programs' '.name == "wiki" and .version == "1.9" and
	.source == "file" and .actions == "deploy,start,undeploy" and
	.params[0] == {name: "domain", type: "string", required: true,
	description: "where it is"} and
	.exports == {page: "http://{{domain}}/{{app_instance}}"} and .params[1].default == "4" and
	(.requires | test("os debian")) and (.file | test("Pages for"))'
try $app show wiki@1.9
like '... for people with a table of parameters' 0 "Name:*
PARAMETER TYPE    DEFAULT    LIMITS DESCRIPTION
domain    string  (required) -      where it is
workers   integer 4          -      -" ''
try $app show wiki@2
is 'a version that is not there' 1 '' \
	"towerify-app: no version '2' of app 'wiki'
hint: the newest is wiki@1.10"
try $app show wikki
is 'an app that is not there' 1 '' "towerify-app: no app 'wikki'
hint: did you mean 'wiki'?"
try $app show wiki@
is 'no name' 2 '' "towerify-app: 'wiki@' is not an app: APP or APP@VERSION"

# --- import ----------------------------------------------------------------------

try $app import "$data/apps.json"
is 'apps.json' 0 '' '3 apps: 3 added, 0 changed, 0 removed'
try $app import - <"$data/apps.json"
is '... the same by standard input' 0 '' \
	'3 apps: 0 added, 0 changed, 0 removed'
try $app list --status working -n -o name,level --tsv
ok 'its apps are listed' grep -q '^13ft' "$work/out"
sed 's/"branch": "master"/"branch": 7/' "$data/apps.json" >"$work/broken.json"
try $app import "$work/broken.json"
like 'a bad catalogue is refused' 65 '' "*broken.json:*branch*"
try $app import - <"$data/apps.json"
is '... and leaves the old one' 0 '' '3 apps: 0 added, 0 changed, 0 removed'
try $app import "$data"
like 'a checkout' 0 '' '* apps: * changed, * removed'
try $app show blog -J
json '... with the questions of its manifests' '.source == "yunohost" and
	(.detail.questions | length) > 0'
try $app add "$data/manifests/blog.toml"
like 'a manifest by itself' 0 'blog@2.1~ynh3' '*'
printf 'packaging_format = 2\nid = 7\n' >"$work/broken.toml"
try $app add "$work/broken.toml"
like 'a broken one' 65 '' "*broken.toml:2:*"
try $app import - <"$data/apps.toml"
like 'apps.toml alone' 0 '' '* apps: *'

# apps.json knows no questions; those of a manifest outlive it.
sed 's/^id = .*/id = "etherpad"/; s/^version = .*/version = "1.0~ynh1"/' \
	"$data/manifests/blog.toml" >"$work/etherpad.toml"
knows() {	# knows TEXT ANSWER: what etherpad asks
	try $app show etherpad -J
	json "$1" "(.detail.questions | length > 9) == $2"
}
again() {	# again TEXT APPS SUMMARY
	try $app import "$2"
	is "$1" 0 '' "3 apps: $3"
}
quietly $app import "$data/apps.json"
knows 'apps.json has no questions' false
quietly $app add "$work/etherpad.toml"
again 'after a manifest' "$data/apps.json" '0 added, 1 changed, 0 removed'
knows '... it keeps them' true
json '... with the catalogue'"'"'s words' \
	'.title == "Etherpad" and .detail.disk == 52428800 and
	.detail.has_data_dir == true'
again '... and so again' "$data/apps.json" '0 added, 0 changed, 0 removed'
mkdir -p "$work/apps/manifests"
cp "$work/etherpad.toml" "$work/apps/manifests"
printf '[etherpad]\nstate = "working"\nurl = "https://example.org/etherpad_ynh"\n' \
	>"$work/apps/apps.toml"
quietly $app import "$work/apps"
again 'after a checkout' "$data/apps.json" '2 added, 1 changed, 0 removed'
knows '... it keeps them' true
sed 's/"revision": "bed6/"revision": "aed6/' "$data/apps.json" \
	>"$work/other.json"
again 'another revision' "$work/other.json" '0 added, 3 changed, 0 removed'
knows '... forgets them' false
quietly $app add "$work/etherpad.toml"
sed 's/1.0~ynh1/1.0~ynh2/' "$work/other.json" >"$work/next.json"
again 'another version' "$work/next.json" '0 added, 2 changed, 0 removed'
knows '... too' false
quietly $app import - <"$data/apps.toml"
try $app list wiki -n -o version
is 'apps of files stay' 0 "1.10
1.9
1.0" ''
try $app list 'b*' --level 8 -n -o name,source
is 'a pattern, a level' 0 'blog yunohost' ''
try $app list --level 11
is 'no such level' 2 '' \
	"towerify-app: --level must be a whole number from 1 to 10, not '11'"

# --- deploy ----------------------------------------------------------------------

tower_sshd
tower_hosts 2
filed_nothing() {
	[ "$(sql 'SELECT count(*) FROM change')" = 0 ]
}
try $app deploy wiki 'h[1-2]' -p domain=x
like 'what hosts lack, of all of them' 1 '' "towerify-app: h1: *memory*
towerify-app: h2: *memory*"
try $app deploy 13ft h1
like "one of YunoHost's whose questions nobody knows" 1 '' \
	"towerify-app: what 13ft asks is not known: YunoHost's list of apps does not say
hint: curl -fsSL https://github.com/*/manifest.toml | towerify-app add -"
try $app deploy zzz h1
is 'no such app' 1 '' "towerify-app: no app 'zzz'"
sed "s/'1.0'/'2.0'/; /^requires/d; s/source: page.txt/content: x/" \
	"$work/wiki/app.yaml" >"$work/two.yaml"
quietly $app add "$work/two.yaml"
try $app deploy wiki h1
is 'a parameter is missing' 2 '' \
	"towerify-app: parameter 'domain' is required
hint: where it is"
try $app deploy wiki h1 -p domain=x -p no=thing
like 'no such parameter' 2 '' "towerify-app: *'no'*"
try $app deploy wiki h9 -p domain=x
is 'no such host' 1 '' 'towerify-app: unknown host: h9'
try $app deploy wiki h1 -p domain=x --name 'a b'
is 'no name' 2 '' "towerify-app: 'a b' is not a name"
try $app deploy wiki - -p domain@- </dev/null
is 'standard input has one user' 2 '' \
	"towerify-app: standard input can't be both TARGETS and a parameter"
try $app start wiki h1
is 'no instance' 1 '' "towerify-app: no instance 'wiki' on h1"
try $app stop wiki@2.0 h1
is 'stop takes no version' 2 '' \
	"towerify-app: stop takes no version: 'wiki@2.0'"
try $app deploy wiki@ h1
is 'no version after @' 2 '' "towerify-app: 'wiki@' names no version"
try $app upgrade wiki@ h1
is '... of upgrade neither' 2 '' "towerify-app: 'wiki@' names no version"
ok 'nothing of all that was filed' filed_nothing

try $app deploy wiki 'h[1-2]' -p domain=x --key first --reason test
is 'deploy prints the ids' 0 "1
2" ''
try $app deploy wiki 'h[2,1]' -p domain=x --key first
is '... the same key gives them again' 0 "2
1" 'filed before under this key'
try $app deploy wiki 'h[1-2]' -p domain=y --key first
is '... and is for nothing else' 1 '' \
	"towerify-app: the key 'first' was used for something else (change 1)"
try $app deploy wiki h1 --name two -p domain=x -p workers=2 --key two
try $app deploy wiki h1 --name two -p workers=2 -p domain=x --key two
is '... parameters in any order' 0 3 'filed before under this key'
quietly towerify-queue cancel 3
try $app instances -n -o host,name,app,version,state,change,action
is 'the instances' 0 "h1 wiki wiki 2.0 deploying 1 deploy
h2 wiki wiki 2.0 deploying 2 deploy" ''
try $app instances h2 -J
json '... for programs' '.instances == [.instances[0]] and
	(.instances[0] | .host == "h2" and .params == {domain: "x"} and
	.next == null and .exports == {page: "http://x/wiki"} and
	.source == "file")'
try towerify-queue show 1 -o app,action,instance,why --tsv -n
is 'the change says what it does' 0 'wiki@2.0	deploy	wiki	test' ''
try $app remove wiki@2.0
is 'what is deployed stays in the catalogue' 1 '' \
	'towerify-app: wiki@2.0 is deployed on h1, and 1 more'
try $app backup wiki h1
is 'nothing else is done with it before its change has ended' 1 '' \
	'towerify-app: change 1, which is to deploy wiki on h1, has not ended'
try $app upgrade wiki 'h[1-2]'
is 'one change at a time, and all that are in the way' 1 '' \
	"towerify-app: change 1, which is to deploy wiki on h1, has not ended
towerify-app: change 2, which is to deploy wiki on h2, has not ended"
sql "UPDATE change SET status = 'succeeded', ended = filed WHERE num < 3;
	UPDATE instance SET state = 'running' WHERE name = 'wiki'"
for verb in backup restore check; do
	try $app $verb wiki h1
	is "an app without $verb" 1 '' "towerify-app: wiki 2.0 has no '$verb'"
	try $app $verb wiki@2.0 h1
	is "... which takes no version" 2 '' \
		"towerify-app: $verb takes no version: 'wiki@2.0'"
done
sql "UPDATE change SET status = 'queued', ended = NULL WHERE num < 3;
	UPDATE instance SET state = 'deploying' WHERE name = 'wiki'"
quietly towerify-queue cancel 1 2
try towerify-queue retry 1
is 'an app is not deployed again by number' 1 '' \
	"towerify-queue: change 1 is of an app: it depends on what is there now
hint: towerify-app deploy wiki@2.0 h1"
try towerify-queue retry 3
like '... nor under its own name' 1 '' \
	"*hint: towerify-app deploy wiki@2.0 h1 --name two"
try $app instances --all -n -o host,state
is 'cancelled, they are gone' 0 "h1 gone
h1 gone
h2 gone" ''
try $app remove wiki@2.0
is 'a version is removed' 0 '' ''
try $app remove wiki
is 'all versions are' 0 '' ''
try $app remove wiki
like '... once' 1 '' "towerify-app: no app 'wiki'*"
ok 'the trail is whole' towerify-audit verify

# --- behind a gate -----------------------------------------------------------------

gated() {
	try env TOWERIFY_OPERATOR="$me" "$@"
}
gated $app add "$work/wiki"
like 'gate: no path is opened' 77 '' "towerify-app: *"
gated $app add "$work/none"
like '... or looked at' 77 '' "towerify-app: *"
gated $app import "$data"
like '... by import neither' 77 '' "towerify-app: *"
gated $app add - <"$work/two.yaml"
is 'gate: standard input is read' 0 'wiki@2.0' ''
gated $app add - <"$work/wiki/app.yaml"
like '... and names no file' 65 '' "*a source file can't be used behind a gate*"
gated $app import - <"$data/apps.json"
like 'gate: a catalogue' 0 '' '3 apps: *'
finish
