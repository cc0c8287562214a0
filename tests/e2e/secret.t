#!/bin/sh
# secret.t - a secret reaches the steps that use it, and nothing else: not the
# state, the trail, what the tools print, a command line, the spool, a core file
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119,SC3045
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

# All that quoting and encoding may touch.  It is in files alone: this shell's
# command line and those of what it starts don't hold it.
printf '%s\n' "s3cr3t/w\"rd'\\ \$x&<é>%2F+!" >"$work/secret"
printf '%s\n' 'an0ther-secret' >"$work/second"
{
	cat "$work/secret" "$work/second"
	sed "s/'/'\\\\''/g" "$work/secret"
	sed "s/'/'\"'\"'/g" "$work/secret"
	jq -Rr @uri "$work/secret"
	jq -Rr @uri "$work/secret" | sed 's/%20/+/g'
	jq -R . "$work/secret" | sed 's/^"//; s/"$//'
	jq -aR . "$work/secret" | sed 's/^"//; s/"$//'
	jq -R . "$work/secret" | sed 's/^"//; s/"$//; s|/|\\/|g'
} | sort -u >"$work/patterns"
sum=$(head -n 1 "$work/secret" | tr -d '\n' | sha256sum)

# nowhere FILE-OR-DIRECTORY…
nowhere() {
	! grep -raF -f "$work/patterns" "$@"
}

# Every tool of the test speaks into these too.
said=$work/all.out
tool() {
	status=0
	"$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err" >>"$said"
	return "$status"
}

seen() {
	! nowhere "$work/secret"
}
ok 'what is looked for would be found' seen

tower_sshd
tower_hosts 2

# What every process was called, all the while.
watch() {
	while [ ! -e "$work/watched" ]; do
		cat /proc/[0-9]*/cmdline 2>/dev/null >>"$work/cmdlines" || :
		sleep 0.01
	done
}
watch &
watcher=$!

change print <<'END'
params:
  pw: {type: secret, required: true}
  pw2: {type: secret, required: true}
  word: {type: string, default: plain}
steps:
  - name: the value
    check: test "$(cat "$HOME/sum.$TOWERIFY_HOST" 2>&1)" = "$(printf %s "$pw" | sha256sum)"
    run: |
      printf %s "$pw" | sha256sum >"$HOME/sum.$TOWERIFY_HOST"
      echo "raw <$pw> <$pw2> and $word"
      printf %s "$pw" | jq -Rrs '"uri " + @uri'
      printf %s "$pw" | jq -Rrs '"form " + (@uri | gsub("%20"; "+"))'
      printf %s "$pw" | jq -Rs '"json " + .'
      printf %s "$pw" | jq -aRs '"ascii " + .'
      export -p | grep pw
      (set -x; : "$pw" "$pw2")
    undo: echo "taking back $pw"
  - name: nobody's
    check: test -z "$(env | grep an0ther)"
    run: "true"
    undo: nothing
  - name: in parts
    run: |
      rest=${pw#???????}
      printf 'begins %s' "${pw%"$rest"}"
      "$HOME/block" "$TOWERIFY_HOST"
      sleep 0.2
      printf '%s' "${rest%???????}"
      sleep 0.2
      printf '%s ends\n' "${rest#"${rest%???????}"}"
    undo: printf '%s' "$pw$pw$pw2"
END

# --- plan ------------------------------------------------------------------------

tool towerify-queue plan h1 "$work/print.yaml" -p pw@"$work/secret" \
	-p pw2@"$work/second" -o plan,output --tsv || :
ok 'a plan asks the checks with the secret' grep -q '^would run' "$work/out"

# --- the runner is killed while half of it is printed -------------------------------

filed() {
	tool towerify-queue add 'h[1-2]' "$work/print.yaml" \
		-p pw@"$work/secret" -p pw2@"$work/second"
}
ok 'a change with secrets is filed' filed
ok 'secret.key is 32 bytes, and ours alone' test \
	"$(stat -c %a:%s "$TOWERIFY_STATE/secret.key")" = 600:32
ok 'filed, it is nowhere in the state' nowhere "$TOWERIFY_STATE"

both_wait() {
	[ -e "$home/h1.here" ] && [ -e "$home/h2.here" ]
}
mkdir "$work/cores"
cd "$work/cores" || exit
(ulimit -c unlimited && exec towerify-run >>"$said" 2>&1 </dev/null) &
runner=$!
ok 'steps wait with half of it printed' until_ both_wait
ok 'while it runs it is not in the state' nowhere "$TOWERIFY_STATE"
spool_files() {
	nowhere "$work"/spool-h1/jobs/*/job "$work"/spool-h1/jobs/*/meta \
		"$work"/spool-h1/jobs/*/events "$work"/spool-h1/jobs/*/executor
}
ok 'nor in what the spool keeps, output apart' spool_files

(ulimit -c unlimited && exec sleep 100) &
victim=$!
until_ grep -q sleep "/proc/$victim/comm"
kill -SEGV "$victim" "$runner"
wait "$victim" 2>/dev/null || :
wait "$runner" 2>/dev/null || :
cores() {
	find "$work/cores" -type f -name 'core*' | wc -l
}
if [ "$(cores)" -eq 0 ]; then
	skip 'a runner that holds a secret leaves no core file' \
		'core files go elsewhere here'
else
	ok 'a runner that holds a secret leaves no core file' \
		test "$(cores)" -eq 1
	rm -f "$work"/cores/core*
fi

# The same of a tool that has read it and waits for more.
reads() {
	case $(cut -d ' ' -f 1,2 "/proc/$1/syscall" 2>/dev/null) in
	'0 0x0' | '63 0x0' | '') return 0 ;;
	esac
	return 1
}
mkfifo "$work/fifo"
(ulimit -c unlimited && exec towerify-queue check - -p pw@- -p pw2@- \
	<"$work/fifo" >>"$said" 2>&1) &
tool=$!
exec 3>"$work/fifo"
cat "$work/secret" >&3
until_ grep -q towerify-queue "/proc/$tool/comm"
until_ reads "$tool"
kill -SEGV "$tool"
wait "$tool" 2>/dev/null || :
exec 3>&-
ok 'nor does a tool that reads one' test "$(cores)" -eq 0
cd "$work" || exit

: >"$home/h1.go"
: >"$home/h2.go"
hurry
tool towerify-run || :
ok 'the next pass ends well' test "$status" -eq 0
ok 'change 1 succeeded' status_is 1 succeeded
ok 'change 2 too' status_is 2 succeeded
ok 'the steps had the very value' test "$(cat "$home/sum.h1")" = "$sum"

tool towerify-queue log 1 || :
like 'each form of it is masked, all else is there' 0 "*\
raw <\*\*\*> <\*\*\*> and plain
uri \*\*\*
form \*\*\*
\"json \*\*\*\"
\"ascii \*\*\*\"
*pw=*\*\*\**\
begins \*\*\** ends*" '*'

# --- its end, and a retry --------------------------------------------------------------

erased() {
	[ "$(sql 'SELECT count(*), count(sealed) FROM secret')" = "$1|0" ]
}
ok 'the end has erased the secrets, not their names' erased 4

tool towerify-queue retry 1 || :
is 'a retry names what it needs again' 2 '' "towerify-queue: change 1 needs its \
secrets again: give -p pw@FILE -p pw2@FILE"
change fails <<'END'
params:
  pw: {type: secret}
steps:
  - name: one
    run: echo "did $pw"
    undo: echo "undid $pw"
  - name: two
    run: |
      echo "failing $pw"
      exit 3
    undo: printf '%s' "$pw"
END
tool towerify-queue -q add h1 "$work/fails.yaml" -p pw@"$work/secret" || :
tool towerify-run || :
ok 'a roll-back has its secrets too' status_is 3 rolled-back
tool towerify-queue log 3 || :
like 'what undo prints is masked' 0 \
	'*did \*\*\**failing \*\*\**undid \*\*\**' '*'
ok 'they are erased then' erased 5
tool towerify-queue -q retry 3 -p pw@- <"$work/second" || :
is 'a retry with its secret from stdin' 0 4 ''

# --- the key -------------------------------------------------------------------------------

mv "$TOWERIFY_STATE/secret.key" "$work/key"
tool towerify-queue -q add h2 "$work/fails.yaml" -p pw@"$work/secret" || :
like 'no other key is made while it is needed' 78 '' "towerify-queue: secrets \
can't be opened: $TOWERIFY_STATE/secret.key is gone*"
change plain <<'END'
steps:
  - name: one
    run: echo plain
    undo: nothing
END
tool towerify-queue -q add h2 "$work/plain.yaml" || :
plain=$(cat "$work/out")
run_
cat "$work/out" "$work/err" >>"$said"
like 'without the key a pass says so, once' 78 '' "towerify-run: secrets \
can't be opened: $TOWERIFY_STATE/secret.key is gone
hint: *"
ok 'does the rest' status_is "$plain" succeeded
ok 'and leaves the change as it is' status_is 4 queued
ok 'no host is held' host_is h1 unreachable
tool towerify-queue why 4 || :
like 'why says it too' 0 "*secrets can't be opened: *" ''
mv "$work/key" "$TOWERIFY_STATE/secret.key"
hurry
tool towerify-run || :
ok 'with the key it goes on' status_is 4 rolled-back

# --- nowhere ------------------------------------------------------------------------------

: >"$work/watched"
wait "$watcher" || :
for num in 1 2 3 4; do
	tool towerify-queue show "$num" || :
	tool towerify-queue show -J "$num" || :
	tool towerify-queue log "$num" || :
	tool towerify-queue log -J "$num" || :
	tool towerify-queue why "$num" || :
done
tool towerify-audit export || :
tool towerify-queue check "$work/print.yaml" -p pw@"$work/secret" \
	-p pw2@"$work/second" || :
towerify-host -q check '*' >/dev/null 2>&1 || :
ok 'no tool has ever printed it' nowhere "$said"
ok 'it is in no file of the state' nowhere "$TOWERIFY_STATE"
ok 'no process was ever called by it' nowhere "$work/cmdlines"
ok 'no spool keeps it' nowhere "$work"/spool-h*
in_memory() {
	! grep -raFs -f "$work/patterns" /run/towerify-* \
		/dev/shm/towerify-* "${XDG_RUNTIME_DIR:-/run}"/towerify-*
}
ok 'nor does the memory of the hosts' in_memory
leave
