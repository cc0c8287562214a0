#!/bin/sh
# app.t - what apps compile to, carried out: health, upgrades, rollbacks
# shellcheck disable=SC2016 # for the host's shell
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

TOWERIFY_KINDS=$top/share/kinds
export TOWERIFY_KINDS
compile=${abs_top_builddir:-$top}/tests/executor/compile
app=$work/app.yaml
log=$work/log
: >"$log"

init

# act ACTION FROM [NAME=VALUE…]: as a job, to its end
act() {
	new
	"$compile" "$app" "$1" "$2" "$prog" "$blob" "$keys" \
		"dir=$work" ${3+"$3"} || return 1
	whole=1
	send start
	cat "$out"
}
logged() {
	have=$(tr '\n' ';' <"$log")
	: >"$log"
	[ "$have" = "$1" ] || { echo "have: $have"; echo "want: $1"; return 1; }
}

cat >"$app" <<'END'
towerify-app: 1
app: shop
version: '2.0'
params:
  dir: {type: string, required: true}
  pw: {type: secret}
health:
  command: 'echo ask >>"$dir/log"; test "$(cat "$dir/data")" = "data 2.0"'
  interval: 1s
  timeout: 4s
deploy:
  - name: data
    run: echo "data $app_version" >"$dir/data"; echo deploy >>"$dir/log"
    undo: rm -f "$dir/data"; echo undeployed >>"$dir/log"
  - name: password
    run: printf '%s' "$pw" >"$dir/pw"
    undo: rm -f "$dir/pw"
start:
  - run: echo start >>"$dir/log"
    undo: echo stop >>"$dir/log"
upgrade:
  - name: old data goes
    run: echo "upgrade $app_from" >>"$dir/log"; echo broken >"$dir/data"
  - name: with an undo of its own
    run: touch "$dir/extra"
    undo: rm "$dir/extra"; echo extra-gone >>"$dir/log"
undeploy:
  - run: rm "$dir/data"; echo gone >>"$dir/log"
backup:
  - name: data is kept
    run: cp "$dir/data" "$dir/saved"; echo backup >>"$dir/log"
restore:
  - name: data is back
    unless: test "$(cat "$dir/data")" = "$(cat "$dir/saved")"
    run: |
      # it's "quoted", and has a here-document
      cat >"$dir/data" <<E
      $(cat "$dir/saved")
      E
      sed -i 's/^ *//' "$dir/data"
    verify: cmp "$dir/data" "$dir/saved"
  - run: "echo restored \"$app_instance\" >>\"$dir/log\""
END

act deploy '' 'pw=hush hush' >/dev/null 2>&1
ok 'a healthy deploy' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; end 3 unchanged check 0; verdict succeeded'
ok '... in order' logged 'deploy;ask;'
ok '... with its secret' test "$(cat "$work/pw")" = 'hush hush'
ok '... which is in no program' test "$(grep -c hush "$prog")" = 0

# --- health
sed -i 's/^  command: .*/  command: "echo ask >>\\"$dir\/log\\"; test $(wc -l <\\"$dir\/log\\") -gt 3"/' "$app"
: >"$log"
rm -f "$work/data"
act deploy '' >/dev/null 2>&1
ok 'health that comes up at the third try' says '[0-9]* [0-9]* verdict succeeded'
ok '... was asked before, while it waited, and after' logged 'deploy;ask;ask;ask;ask;'

sed -i 's/^  command: .*/  command: echo ask >>"$dir\/log"; test "$(tail -n 1 "$dir\/data")" = "data 2.0"/' "$app"
sed -i 's/^  timeout: 4s/  timeout: 2s/' "$app"
rm -f "$work/data" "$work/pw"
sed -i 's/echo "data $app_version" >/echo wrong >/' "$app"
act deploy '' >/dev/null 2>&1
ok 'health that never comes' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 failed run 1; undo 2; undone 2 done 0; undo 1; undone 1 done 0; verdict rolled-back'
ok '... says what it asked' has 'the command fails'
ok '... takes the deployment back' test ! -e "$work/data" -a ! -e "$work/pw"
: >"$log"

sed -i 's/^  timeout: 2s/  timeout: 2s\n  successes: 3/; s/^  command: .*/  command: echo ask >>"$dir\/log"/' "$app"
act start '' >/dev/null 2>&1
ok 'a start' says '[0-9]* [0-9]* verdict succeeded'
ok '... asks as often as it was told' logged 'start;ask;ask;ask;'

# --- upgrades
sed -i '/successes: 3/d; s/^  command: .*/  command: test "$(cat "$dir\/data")" = fine/' "$app"
echo 'old data' >"$work/data"
act upgrade 1.0 >/dev/null 2>&1
ok 'an upgrade that is not healthy' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 done run 0; start 4; run 4 1; end 4 done run 0; start 5; run 5 1; end 5 failed run 1; undo 4; undone 4 done 0; undo 2; undone 2 done 0; verdict rolled-back'
ok '... restores after the undo of its steps' logged 'backup;upgrade 1.0;extra-gone;restored one;'
ok '... what backup kept' test "$(cat "$work/data")" = 'old data'

sed -i 's/echo broken >"$dir\/data"/false/' "$app"
act upgrade 1.0 >/dev/null 2>&1
ok 'an upgrade that fails halfway' says '[0-9]* [0-9]* verdict rolled-back'
ok '... restores, too' logged 'backup;upgrade 1.0;restored one;'

sed -i 's/^    verify: cmp .*/    verify: "false"/; s/^    unless: test .*/    unless: "false"/' "$app"
act upgrade 1.0 >/dev/null 2>&1
ok 'a restore that does not do' says '[0-9]* [0-9]* verdict failed'
ok '... stops where it failed' logged 'backup;upgrade 1.0;'
rm -f "$spool/held"

sed -i 's/run: cp "$dir\/data".*/run: echo backup >>"$dir\/log"; false/' "$app"
act upgrade 1.0 >/dev/null 2>&1
ok 'a backup that fails' is 'life 1; start 1; run 1 1; end 1 failed run 1; verdict rolled-back'
ok '... begins no upgrade, and restores nothing' logged 'backup;'
act undeploy '' >/dev/null 2>&1
ok '... nor an undeployment' is 'life 1; start 1; run 1 1; end 1 failed run 1; verdict rolled-back'
ok '... which leaves all' test -e "$work/data"

sed -i 's/run: echo backup >>"$dir\/log"; false/run: echo backup >>"$dir\/log"/; s/; false$/; echo fine >"$dir\/data"/' "$app"
: >"$log"
act upgrade 1.0 >/dev/null 2>&1
ok 'a healthy upgrade' says '[0-9]* [0-9]* verdict succeeded'
ok '... saved first' logged 'backup;upgrade 1.0;'
act undeploy '' >/dev/null 2>&1
ok 'an undeployment' says '[0-9]* [0-9]* verdict succeeded'
ok '... saves first' logged 'backup;gone;'
finish
