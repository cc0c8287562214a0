#!/bin/sh
# queue_file.t - towerify-queue check and plan: is a file good, what would it do
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

queue=towerify-queue
cd "$work"

# --- check: no state is needed -------------------------------------------------------

cat >good.yaml <<'END'
towerify: 1
title: Say hello
params:
  whom: {type: string, default: world}
  times: {type: integer, required: true, min: 1, max: 3}
defaults: {timeout: 1m, retries: 1}
steps:
  - name: a file
    file: {path: /tmp/x, content: "hi\n", mode: 0644}
  - name: say hello
    check: test -e /tmp/hello
    run: |
      echo "hello, $whom"
      echo 'twice'
    undo: rm /tmp/hello
  - name: restart
    reboot: {timeout: 5m}
  - run: "true"
END
try "$queue" check good.yaml -p times=2
is 'check: the steps as they would be sent' 0 "Say hello
parameters
    whom='world' (default)
    times='2'
step 1: a file
    file /tmp/x, 3 bytes, mode 0644
    undo: what was there is put back
    timeout 1m, retries 1 after 5s each
step 2: say hello
    check (before and after)
        test -e /tmp/hello
    run
        echo \"hello, \$whom\"
        echo 'twice'
    undo
        rm /tmp/hello
    timeout 1m, retries 1 after 5s each
step 3: restart
    reboot
    undo: nothing
    timeout 5m
step 4: step 4
    run
        true
    undo: none
    timeout 1m, retries 1 after 5s each
without undo (a failure at or after one of these holds the host):
        step 4: step 4" ''
try "$queue" check - -p times=2 <good.yaml
like 'check -: from stdin' 0 'Say hello*' ''
ok '... with no state made' test ! -e "$TOWERIFY_STATE"

try "$queue" check good.yaml
is 'check: a value is missing' 2 '' \
	"towerify-queue: parameter 'times' is required"
try "$queue" check good.yaml -p times=4 -p whom=
is 'check: a value out of bounds' 2 '' \
	"towerify-queue: parameter 'times' must be at most 3, not '4'"

cat >bad.yaml <<'END'
towerify: 1
titel: x
steps:
  - name: one
    rum: true
    timeout: 5
  - run: if
  - run: ! test -e /tmp/x
  - run: &a "true"
    undo: *a
  - {file: {path: x, content: y}, check: "true"}
END
try "$queue" check bad.yaml
cp err all
like 'check: every problem, by line and column' 65 '' 'bad.yaml:2:1: *'
wanted='2:1 5:5 7:10 8:10 9:10'
ok '... in their order' test "$(cut -d : -f 2 all | grep -x '[0-9]*' | tr '\n' ' ')" = \
	"$(cut -d : -f 2 all | grep -x '[0-9]*' | sort -n | tr '\n' ' ')"
for place in $wanted; do
	ok "... $place" grep -q "^bad\\.yaml:$place: ." all
done
ok '... with hints' grep -qxF "hint: did you mean 'title'?" all
try "$queue" add h1 bad.yaml
like 'add is the same, but wants a tower first' 78 '' \
	'towerify-queue: *: there is no state here yet*'

printf 'towerify: 1\nsteps:\n  - {name: "a\\eb", run: "true"}\n' >esc.yaml
try "$queue" check esc.yaml
like 'check: a control character in a name' 65 '' 'esc.yaml:3:*'
ok '... does not reach the terminal' \
	sh -c "! LC_ALL=C grep -q '$(printf '\033')' err out"
printf 'towerify: 2\nsteps: []\n' >two.yaml
try "$queue" check two.yaml
like 'check: another version' 65 '' 'two.yaml:1:11: *'
printf 'towerify: 1\nsteps:\n\t- x\n' >tab.yaml
try "$queue" check tab.yaml
like 'check: no YAML' 65 '' 'tab.yaml:3:1: *'
head -c 2000000 /dev/zero | tr '\0' '#' >big.yaml
try "$queue" check big.yaml
like 'check: too big' 65 '' 'towerify-queue: big.yaml: *'
printf 'towerify: 1\nsteps:\n  - file: {path: /x, source: none.txt}\n' >src.yaml
try "$queue" check src.yaml
like 'check: a source that is not there' 65 '' 'src.yaml:3:*none.txt*'
mkdir sub
printf 'towerify: 1\nsteps:\n  - file: {path: /x, source: s.txt}\n' >sub/c.yaml
echo text >sub/s.txt
try "$queue" check sub/c.yaml
like 'check: sources are relative to the file' 0 '*file /x, 5 bytes*' ''
for example in "$top"/share/examples/*.yaml; do
	try "$queue" check "$example" -p domain=example.org
	case ${example##*/} in
	nginx.yaml) ;;
	*) try "$queue" check "$example" ;;
	esac
	like "check: share/examples/${example##*/}" 0 '*step 1: *' ''
done

# --- plan ----------------------------------------------------------------------------

tower_sshd
tower_hosts 2
cat >plan.yaml <<END
towerify: 1
title: Plan
steps:
  - {name: holds, check: "true", run: touch $work/ran, undo: nothing}
  - name: would
    check: echo no; test -e /nonexistent/x
    run: touch $work/ran
    undo: rm $work/ran
  - {name: unasked, run: touch $work/ran}
  - {name: broken, check: nosuchcommand, run: touch $work/ran, undo: impossible}
  - file: {path: $work/made, content: x}
END
try "$queue" plan h1,h2 plan.yaml
is 'plan: what each step would do' 0 'HOST STEP NAME    PLAN        UNDO       CONFIRM
h1      1 holds   unchanged   nothing          -
h1      2 would   would run   script           -
h1      3 unasked cannot tell none             -
h1      4 broken  cannot tell impossible       -
h1      5 step 5  would run   auto             -
h2      1 holds   unchanged   nothing          -
h2      2 would   would run   script           -
h2      3 unasked cannot tell none             -
h2      4 broken  cannot tell impossible       -
h2      5 step 5  would run   auto             -' 'no undo, a failure after these holds the host:
step 3: unasked
step 4: broken, declared impossible'
ok '... and nothing is run' test ! -e "$work/ran"
ok '... or made' test ! -e "$work/made"
try "$queue" list --all
is '... or filed' 0 '' ''
try towerify-audit list --tsv -n -o action,host
like '... but it is on record' 0 "*change.plan	h1*change.plan	h2" ''
cat >cutting.yaml <<END
towerify: 1
title: Plan
steps:
  - {name: cuts, check: 'false', run: touch $work/ran, undo: rm $work/ran, confirm: 90s}
END
try "$queue" plan h1 cutting.yaml
like 'plan: a step that is to be confirmed' 0 'HOST STEP NAME PLAN      UNDO   *CONFIRM
h1 *1 cuts would run script *1m30s' ''
try "$queue" plan h1 cutting.yaml -J
json '... in JSON' '.steps[0].confirm == 90000'
try "$queue" -q plan h1 plan.yaml -J
json 'plan -J: typed' '(.steps | length) == 5 and (.steps[1] |
	.plan == "would run" and .code == 1 and .output == "no\n")'
json '... a broken check says why' '.steps[3] | .code == 127 and
	.plan == "cannot tell"'
towerify-host set h2 port=1
try "$queue" -q plan h1,h2 plan.yaml -n -o host,k,plan
like 'plan: one is unreachable' 75 'h1 1 unchanged*h2 5 unreachable' \
	'towerify-queue: h2: cannot connect to 127.0.0.1 port 1: *refused'
try "$queue" plan h1,nobody plan.yaml
is 'plan: an unknown host' 1 '' 'towerify-queue: unknown host: nobody'
try "$queue" plan h1 bad.yaml
is 'plan: a bad file' 65 '' "$(cat all)"
try "$queue" plan - - <plan.yaml
is 'plan: stdin is not both' 2 '' \
	"towerify-queue: standard input can't be both TARGETS and FILE"
finish
