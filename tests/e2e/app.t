#!/bin/sh
# app.t - apps on hosts: what towerify-app says of an instance is what is there
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2
towerify-host -q check '*' >/dev/null

# An app that keeps what it is in $HOME/HOST/INSTANCE: version, state, word;
# backups in $HOME/HOST/INSTANCE.backup.  BROKEN: what its upgrade ends with.
wiki() {	# wiki VERSION BROKEN
	mkdir -p "$work/wiki-$1"
	echo "page of $1" >"$work/wiki-$1/page.txt"
	cat >"$work/wiki-$1/app.yaml" <<EOF
towerify-app: 1
app: wiki
version: '$1'
title: A wiki of files
params:
  word: {type: string, default: plain}
  pw: {type: secret}
requires: {memory: 1M}
exports: {at: '{{app_instance}}:{{word}}@{{app_version}}', brace: '{{{{'}
health: {command: 'grep -qx running "\$HOME/\$TOWERIFY_HOST/\$app_instance/state"', interval: 1s, timeout: 3s}
deploy:
  - name: its directory
    run: mkdir -p "\$HOME/\$TOWERIFY_HOST" && mkdir "\$HOME/\$TOWERIFY_HOST/\$app_instance"
    undo: rm -r "\$HOME/\$TOWERIFY_HOST/\$app_instance"
  - name: page
    file: {path: $home/page.txt, source: page.txt}
  - name: content
    run: |
      cd "\$HOME/\$TOWERIFY_HOST/\$app_instance"
      echo "\$app_version" >version
      echo "\$word" >word
      echo running >state
      test "\$word" != ill || echo ill >state
      printf %s "\$pw" | sha256sum >sum
    undo: nothing
start:
  - name: runs
    run: echo running >"\$HOME/\$TOWERIFY_HOST/\$app_instance/state"
    undo: echo stopped >"\$HOME/\$TOWERIFY_HOST/\$app_instance/state"
stop:
  - name: stops
    run: echo stopped >"\$HOME/\$TOWERIFY_HOST/\$app_instance/state"
    undo: echo running >"\$HOME/\$TOWERIFY_HOST/\$app_instance/state"
backup:
  - name: a copy
    run: |
      cd "\$HOME/\$TOWERIFY_HOST"
      rm -rf "\$app_instance.backup"
      cp -a "\$app_instance" "\$app_instance.backup"
restore:
  - name: the copy back
    run: |
      cd "\$HOME/\$TOWERIFY_HOST"
      rm -r "\$app_instance"
      cp -a "\$app_instance.backup" "\$app_instance"
check:
  - {run: 'test -e "\$HOME/\$TOWERIFY_HOST/\$app_instance/version"'}
upgrade:
  - name: content
    run: |
      cd "\$HOME/\$TOWERIFY_HOST/\$app_instance"
      echo "\$app_version" >version
      echo "\$word" >word
      echo running >state
      $2
undeploy:
  - name: gone
    run: |
      test ! -e "\$HOME/stuck"
      rm -r "\$HOME/\$TOWERIFY_HOST/\$app_instance"
    undo: '$3'
EOF
	towerify-app -q add "$work/wiki-$1" >/dev/null
}
wiki 1.0 : nothing
wiki 1.1 'echo ill >state' nothing
wiki 1.2 : nothing

app() {		# app VERB…: quietly; $id is the last change
	status=0
	tried="towerify-app $*"
	towerify-app -q "$@" >"$work/out" 2>"$work/err" || status=$?
	# shellcheck disable=SC2034 # for the script
	id=$(tail -n 1 "$work/out")
}
# instance_is HOST NAME "VERSION STATE"
instance_is() {
	have=$(towerify-app instances "$1" -o name,version,state --tsv -n |
		tr '\t' ' ' | grep "^$2 " || echo none)
	[ "$have" = "${3:+$2 $3}" ] || [ "$have" = "${3:-none}" ] || {
		echo "instance: $have"
		towerify-queue list --all
		cat "$work/err"
		return 1
	}
}
# there_is HOST NAME "VERSION STATE WORD"
there_is() {
	if [ -z "$3" ]; then
		[ ! -e "$home/$1/$2" ]
		return
	fi
	have=$(cd "$home/$1/$2" && cat version state word | tr '\n' ' ')
	[ "$have" = "$3 " ] || { echo "there is: $have"; return 1; }
}
# both HOST NAME "VERSION STATE" WORD: the tower says so, and so it is
both() {
	instance_is "$1" "$2" "$3" && there_is "$1" "$2" "$3${3:+ $4}"
}
not() {
	! "$@"
}
params_are() {	# params_are HOST JSON: those of its wiki
	have=$(towerify-app instances "$1" -J | jq -c '.instances[] |
		select(.name == "wiki") | .params')
	[ "$have" = "$2" ] || { echo "params: $have"; return 1; }
}

# --- deploy ----------------------------------------------------------------------

app deploy wiki@1.0 'h[1-2]' -p word=first
ok 'deploy files a change for each host' test "$(wc -l <"$work/out")" = 2
ok '... and until it ran the instance is deploying' \
	instance_is h1 wiki '1.0 deploying'
app upgrade wiki h1
is '... while nothing else can be filed for it' 1 '' \
	"towerify-app: change 1, which is to deploy wiki on h1, has not ended"
run_
ok 'deployed, it is running' both h1 wiki '1.0 running' first
ok '... on both hosts' both h2 wiki '1.0 running' first
ok '... with the file that came with it' grep -qx 'page of 1.0' "$home/page.txt"
ok '... and its parameters are known' params_are h1 '{"word":"first"}'
exports_are() {	# exports_are HOST JSON: those of its wiki
	have=$(towerify-app instances "$1" -J | jq -c '.instances[] |
		select(.name == "wiki") | .exports')
	[ "$have" = "$2" ] || { echo "exports: $have"; return 1; }
}
ok '... and so are its exports' exports_are h1 \
	'{"at":"wiki:first@1.0","brace":"{{"}'
app deploy wiki h1
like 'it is there already' 1 '' "towerify-app: wiki on h1 is there already, running*"

printf %s 's3cret-of-the-wiki' >"$work/pw"
app deploy wiki@1.0 h1 --name other -p word=second -p pw@"$work/pw" --run --wait
ok 'a second instance on the same host' test "$status" = 0
ok '... stands beside the first' both h1 other '1.0 running' second
ok '... with its secret' test "$(cat "$home/h1/other/sum")" = \
	"$(sha256sum <"$work/pw")"
ok '... that is nowhere in the state' not grep -raq s3cret-of "$TOWERIFY_STATE"
ok '... which is as it was' both h1 wiki '1.0 running' first

app deploy wiki h2 --name sick -p word=ill --run --wait
ok 'what is not healthy is rolled back' test "$status" = 3
ok '... and is not there' both h2 sick '' ''
ok '... but in its history' test "$(towerify-app instances h2 --all -J |
	jq -r '.instances[] | select(.name == "sick") | .state')" = gone
app deploy wiki@1.0 h2 --name sick --run --wait
ok '... so that the name is free' both h2 sick '1.0 running' plain

app deploy wiki h2 --name never --not-after +1h
quietly towerify-queue cancel "$id"
ok 'cancelled before it started, it was never there' both h2 never '' ''

# --- stop, start -----------------------------------------------------------------

app stop wiki h1 --run --wait
ok 'stop' both h1 wiki '1.0 stopped' first
app start wiki h1 --run --wait
ok 'start' both h1 wiki '1.0 running' first
app start wiki h1 -p word=x
like 'parameters are not for start' 2 '' \
	"towerify-app: start leaves parameter 'word' as it is*"

# --- backup, restore, check ---------------------------------------------------------

app backup wiki h1 --run --wait
ok 'backup' both h1 wiki '1.0 running' first
ok '... made one' grep -qx first "$home/h1/wiki.backup/word"
echo lost >"$home/h1/wiki/word"
echo ill >"$home/h1/wiki/state"
app check wiki h1 --run --wait
ok 'check: it is not well' test "$status" = 3
ok '... and the instance as it was' instance_is h1 wiki '1.0 running'
app restore wiki h1 --run --wait
ok 'restore: it is as it was saved' both h1 wiki '1.0 running' first
app stop wiki h1 --run --wait
app restore wiki h1 --run --wait
ok '... with its health, so it runs' both h1 wiki '1.0 running' first
app check wiki 'h[1-2]' --run --wait
ok 'check: both are well' test "$status" = 0
ok '... and nothing became of it' both h2 wiki '1.0 running' first
app backup wiki h1 -p word=x
like 'parameters are not for backup' 2 '' \
	"towerify-app: backup leaves parameter 'word' as it is*"
app backup note h1
is 'what is not there has no backup' 1 '' \
	"towerify-app: no instance 'note' on h1"

# --- upgrade ---------------------------------------------------------------------

app upgrade wiki@1.1 h1 --run --wait
ok 'an upgrade that is not healthy is rolled back' test "$status" = 3
ok '... and leaves the old version running' both h1 wiki '1.0 running' first
ok '... known by its old parameters' params_are h1 '{"word":"first"}'
app upgrade wiki 'h[1-2]' --run --wait
ok 'an upgrade goes to the newest' both h1 wiki '1.2 running' first
ok '... on each host' both h2 wiki '1.2 running' first
ok '... and leaves other instances' both h1 other '1.0 running' second
towerify-app upgrade wiki h1 >"$work/out" 2>"$work/err"
ok 'there, it has nothing to do' grep -qx \
	'wiki on h1 is at 1.2: nothing to do' "$work/err"
app upgrade wiki@1.0 h2 --run --wait
app upgrade wiki 'h[1-2]' --key newest --run --wait
ok 'under a key, with one host that is there' both h2 wiki '1.2 running' first
newest=$(cat "$work/out")
app upgrade wiki 'h[2,1]' --key newest
is '... the same again gives what was filed' 0 "$newest" ''
app upgrade wiki h1 -p word=third --run --wait
ok 'an upgrade with parameters alone' both h1 wiki '1.2 running' third
ok '... which are known then' params_are h1 '{"word":"third"}'
ok '... to exports too' exports_are h1 \
	'{"at":"wiki:third@1.2","brace":"{{"}'
app upgrade wiki 'h[1-2]' -p word=same --run --wait
ok 'hosts whose instances differ' both h1 wiki '1.2 running' same
ok '... are upgraded by one filing' both h2 wiki '1.2 running' same
app upgrade wiki@1.0 h2 --run --wait
ok 'a version that is named may be older' both h2 wiki '1.0 running' same

# --- undeploy --------------------------------------------------------------------

rm -rf "$home/h1/wiki.backup" "$home/h1/other.backup"
app undeploy other h1 --no-backup --run --wait
ok 'undeploy without a backup' both h1 other '' ''
ok '... made none' test ! -e "$home/h1/other.backup"
: >"$home/stuck"
app undeploy wiki h1 --run --wait
ok 'an undeploy that does not go' test "$status" = 3
ok '... leaves it running' both h1 wiki '1.2 running' same
rm "$home/stuck"
app undeploy wiki h1 --run --wait
ok 'undeploy' both h1 wiki '' ''
ok '... backed it up first' grep -qx same "$home/h1/wiki.backup/word"
app undeploy wiki h1
is 'gone, it can not be undeployed' 1 '' \
	"towerify-app: no instance 'wiki' on h1"

# --- what a person must look at ----------------------------------------------------

# Its undo fails: the host is held.
wiki 2.0 'exit 1' nothing
sed 's/rm -r "$app_instance"$/exit 1/; s/version: .2.0./version: "2.1"/' \
	"$work/wiki-2.0/app.yaml" >"$work/wiki-2.0/bad.yaml"
mv "$work/wiki-2.0/bad.yaml" "$work/wiki-2.0/app.yaml"
quietly towerify-app add "$work/wiki-2.0"
app upgrade wiki@2.1 h2 --run --wait
ok 'an upgrade whose way back fails' test "$status" = 4
ok '... leaves a failed instance' instance_is h2 wiki '1.0 failed'
ok '... and says where it was to go' test "$(towerify-app instances h2 -J |
	jq -r '.instances[] | select(.name == "wiki") | .next')" = 2.1
quietly towerify-host release h2
app upgrade wiki@1.2 h2 --run --wait
ok 'a later upgrade mends it' both h2 wiki '1.2 running' same

# --- the runner dies in the midst --------------------------------------------------

sed -e 's/version: .1.2./version: "3.0"/' -e 's/^upgrade:/&\
  - {name: waits, run: \x27"$HOME\/block" up\x27, undo: nothing}/' \
	"$work/wiki-1.2/app.yaml" >"$work/wiki-1.2/three.yaml"
quietly towerify-app add "$work/wiki-1.2/three.yaml"
app upgrade wiki h2
run_bg
ok 'an upgrade is under way' until_ test -e "$home/up.here"
ok '... and the instance says so' instance_is h2 wiki '1.2 upgrading'
kill -KILL "$runner"
wait "$runner" 2>/dev/null || :
: >"$home/up.go"
hurry
run_
ok 'followed by the next pass it ends' both h2 wiki '3.0 running' same

# --- rights ------------------------------------------------------------------------

# Behind a gate only installed kinds are there: an app without any.
cat >"$work/note.yaml" <<'EOF'
towerify-app: 1
app: note
version: '1'
deploy:
  - {run: ': >"$HOME/$TOWERIFY_HOST.note"', undo: 'rm "$HOME/$TOWERIFY_HOST.note"'}
undeploy:
  - {run: 'rm "$HOME/$TOWERIFY_HOST.note"', undo: nothing}
EOF
quietly towerify-app add "$work/note.yaml"
quietly towerify-op add dora
quietly towerify-op grant dora deploy --on hosts:h1 --on app:note
dora() {
	TOWERIFY_OPERATOR=dora
	export TOWERIFY_OPERATOR
	"$@"
	unset TOWERIFY_OPERATOR
}
dora app deploy note h2
is 'who may not deploy on a host does not see it' 1 '' \
	'towerify-app: unknown host: h2'
dora app deploy note h1
ok 'who may deploy an app on a host, may' test "$status" = 0
note_id=$id
dora app deploy note h1 --name two
two_id=$id
dora app undeploy note h1
is '... once a change of it has ended' 1 '' "towerify-app: change $note_id, \
which is to deploy note on h1, has not ended"
quietly towerify-op ungrant dora deploy --on hosts:h1 --on app:note
run_
ok 'a right lost before the start' reason_is "$note_id" \
	'dora may no longer deploy note on h1'
ok '... cancels the change' status_is "$two_id" cancelled
ok '... that never ran' test ! -e "$home/h1.note"
ok '... and there is no instance' instance_is h1 note ''
quietly towerify-op grant dora deploy --on hosts:h1 --on app:shop
quietly towerify-op grant dora change --on hosts:h1
dora app deploy note h1
like 'another app, or any change, is not this one' 77 '' \
	'towerify-app: dora may not deploy note on h1*'
quietly towerify-op ungrant dora change --on hosts:h1
quietly towerify-op grant dora deploy --on hosts:h1 --on app:note

# Instances of one name need not be of one app.
sed 's/^app: note/app: memo/' "$work/note.yaml" >"$work/memo.yaml"
quietly towerify-app add "$work/memo.yaml"
quietly towerify-op grant dora deploy --on hosts:h2 --on app:note
app deploy note h1 --name mixed --run --wait
app deploy memo h2 --name mixed --run --wait
for targets in h1,h2 h2,h1; do
	dora app undeploy mixed "$targets"
	is "each host's own app counts: $targets" 77 '' \
		'towerify-app: dora may not deploy memo on h2
hint: ask an administrator for: towerify-op grant dora deploy --on hosts:h2 --on app:memo'
done
app undeploy mixed h1,h2 --run --wait

# The key of another's filing is no right to run it.
app deploy memo h1 --key memo
dora app deploy memo h1 --key memo --run
like 'a key that was used is no right' 77 '' \
	'towerify-app: dora may not deploy memo on h1*'
ok '... and nothing ran' status_is "$(towerify-queue list h1 -o id -n |
	tr -d ' ')" queued
quietly towerify-queue cancel "$(towerify-queue list h1 -o id -n | tr -d ' ')"
dora app deploy note h1
dora try towerify-queue -q cancel "$id"
is 'who may deploy it cancels its changes' 0 '' ''
dora app deploy note h1 --name third
dora try towerify-run -q --hosts h1
is '... and runs a pass there' 0 '' ''
ok '... that deploys it' instance_is h1 third '1 running'
quietly towerify-op ungrant dora deploy --on hosts:h2 --on app:note
dora try towerify-run -q --hosts h2
is '... and nowhere else' 1 '' 'towerify-run: unknown host: h2'
dora app undeploy third h1 --run --wait
ok '... or takes it off' instance_is h1 third ''
ok '... and it is not there' instance_is h1 note ''

# --- a host that goes ---------------------------------------------------------------

app deploy wiki@1.0 h1
quietly towerify-host check h1
quietly towerify-host remove h1
ok 'with its host an instance goes' test "$(towerify-app instances --all -J |
	jq '[.instances[] | select(.host == "h1")] | length')" = 0
ok '... and its change is cancelled' status_is "$id" cancelled
reachable=h2
leave
