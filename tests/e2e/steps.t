#!/bin/sh
# steps.t - what a step gets and does, all the way from the change file: files,
# parameters, environment, KEEP, retries, checks
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 1

# --- files ---------------------------------------------------------------------------

i=0
while [ "$i" -lt 256 ]; do
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf %03o "$i")"
	i=$((i + 1))
done >"$work/all"
head -c 700000 /dev/urandom >"$work/big"
: >"$work/none"
printf "it's old\0\n" >"$home/was"
chmod 640 "$home/was"
cp -p "$home/was" "$work/was"
ln -s was "$home/link"
cp "$work/all" "$home/same"

# files NAME COMMAND: of a last step
files() {
	change "$1" <<END
steps:
  - name: all bytes
    file: {path: $home/all, source: all, mode: "0600"}
  - name: big
    file: {path: $home/big, source: big}
  - name: empty
    file: {path: $home/none, source: none}
  - name: over another
    file: {path: $home/was, source: big}
  - name: over a link
    file: {path: $home/link, content: "text\\n"}
  - name: the same
    file: {path: $home/same, source: all}
  - name: last
    run: '$2'
    undo: nothing
END
}
mode_of() {
	stat -c %a "$1"
}
files files true
add h1 "$work/files.yaml"
run_
ok 'files' steps_are "$id" \
	'done/- done/- done/- done/- done/- unchanged/- done/-'
ok '... every byte' cmp "$work/all" "$home/all"
ok '... many bytes' cmp "$work/big" "$home/big"
ok '... none' test -f "$home/none" -a ! -s "$home/none"
ok '... over another' cmp "$work/big" "$home/was"
ok '... whose mode stays' test "$(mode_of "$home/was")" = 640
ok '... mode as said' test "$(mode_of "$home/all")" = 600
ok '... mode of a new one' test "$(mode_of "$home/big")" = 644
ok '... a link is replaced, not followed' test -f "$home/link" -a \
	! -L "$home/link"
add h1 "$work/files.yaml"
run_
ok 'once more: all is unchanged' steps_are "$id" 'unchanged/- unchanged/- unchanged/- unchanged/- unchanged/- unchanged/- done/-'

rm "$home/all" "$home/big" "$home/none" "$home/link"
ln -s was "$home/link"
cp -p "$work/was" "$home/was"
files undone false
add h1 "$work/undone.yaml"
run_
ok 'rolled back' steps_are "$id" \
	'done/done done/done done/done done/done done/done unchanged/- failed/-'
ok '... what was absent is' test ! -e "$home/all" -a ! -e "$home/big" -a \
	! -e "$home/none"
ok '... what was there is again' cmp "$work/was" "$home/was"
ok '... with its mode and time' test "$(stat -c '%a %Y' "$home/was")" = \
	"$(stat -c '%a %Y' "$work/was")"
ok '... the link too' test "$(readlink "$home/link")" = was
ok '... nothing is left beside them' test -z \
	"$(find "$home" -name '.towerify*')"

# --- parameters ----------------------------------------------------------------------

change params <<'END'
params:
  a: {type: string, required: true}
  b: {type: string, default: 'x'}
  c: {type: string}
  n: {type: integer, default: 4}
  flag: {type: boolean, default: true}
steps:
  - name: tells
    unless: |
      printf %s "$a" >"$HOME/check.a"
      false
    run: |
      printf %s "$a" >"$HOME/a"
      printf %s "$b" >"$HOME/b"
      printf '<%s> %s %s' "$c" "$n" "$flag" >"$HOME/rest"
    undo: nothing
END

# Each as it is, and in all its company.
carries() {	# carries TEXT VALUE
	printf %s "$2" >"$work/value"
	rm -f "$home/a" "$home/b"
	add h1 "$work/params.yaml" -p "a=$2" -p "b@$work/value"
	run_
	ok "a parameter: $1" sh -c 'cmp "$1" "$2/a" && cmp "$1" "$2/b" &&
		cmp "$1" "$2/check.a"' sh "$work/value" "$home"
	ok '... nothing ran' test ! -e "$home/ran" -a ! -e "$work/ran" -a \
		! -e "$HOME/ran"
}
{
	carries 'single quotes' "it's 'quoted' '''' '; touch $home/ran; '"
	carries 'double quotes and backslashes' 'a "b" \ \\ \" \n \0 \ '
	carries 'command substitutions' \
		"\$(touch $home/ran) \`touch $home/ran\` \${HOME} \$HOME"
	carries 'lines' "first

third
touch $home/ran
EOF
'"
	carries 'operators' '; | & && || > < >> ( ) { } # * ? [ ] ~ ! = %s %n'
	carries 'blanks' '  leading,	tabs	and trailing  '
	carries 'dashes' '-n -e --'
	carries 'letters of other tongues' 'grüße ☃ 日本 𐍈'
}
ok 'optional, absent: empty; numbers and booleans as text' test \
	"$(cat "$home/rest")" = '<> 4 true'
head -c 65536 /dev/zero | tr '\0' "'" >"$work/value"
add h1 "$work/params.yaml" -p "a@$work/value" -p "b@$work/value"
run_
ok 'two of 64 KiB of quotes' cmp "$work/value" "$home/a"

# --- where a step runs ------------------------------------------------------------------

change where <<'END'
params:
  word: {type: string, default: value}
steps:
  - name: tells
    run: |
      cat >"$HOME/stdin"
      : >"$HOME/made"
      mkdir "$HOME/made.d"
      ls -A >"$HOME/ls"
      : >left-behind
      env | sort >"$HOME/env"
      ls -l /proc/self/fd >"$HOME/fds"
      grep '^Sig[IB]' /proc/self/status >"$HOME/signals"
      case $- in *e*u*|*u*e*) echo eu ;; esac >"$HOME/flags"
    undo: nothing
  - name: is empty again
    run: test -z "$(ls -A)"
    undo: nothing
  - name: stops at the first error
    run: |
      "$HOME/mark" before
      false
      "$HOME/mark" after
    undo: '"$HOME/mark" undo; echo "$unset"'
END
add h1 "$work/where.yaml"
run_
ok 'where steps run: one of them fails' steps_are "$id" \
	'done/- done/- failed/failed'
ok '... -e and -u' log_is "h1 $id 3 before
h1 $id 3 undo"
ok '... stdin is empty' test -f "$home/stdin" -a ! -s "$home/stdin"
ok '... umask 022' test "$(mode_of "$home/made") $(mode_of "$home/made.d")" = \
	'644 755'
ok '... an empty directory' test ! -s "$home/ls"
ok '... sh -eu' grep -qx eu "$home/flags"
# 32 and 33 are the C library's own, which nobody can set
default_signals() {
	while read -r name mask; do
		[ $((0x$mask & ~0x180000000)) -eq 0 ] || { echo "$name $mask"
			return 1; }
	done <"$home/signals"
}
ok '... default signals' default_signals
ok '... no descriptor but three' test \
	"$(awk 'NF > 8 { print $9 }' "$home/fds" | xargs)" = '0 1 2 3'
env_is() {
	sed "s|=.*/jobs/[0-9a-f]*/|=JOB/|; s|[0-9a-f]\{32\}|ID|" "$home/env" \
		>"$work/have"
	cat >"$work/wanted" <<-END
		DEBIAN_FRONTEND=noninteractive
		HOME=$home
		KEEP=JOB/keep/1
		LC_ALL=C.UTF-8
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		PWD=JOB/cwd
		SHELL=/bin/sh
		TOWERIFY_CHANGE=$id
		TOWERIFY_HOST=h1
		TOWERIFY_STEP=1
		TOWERIFY_TAG=ID/1/run/1
		USER=$me
		word=value
	END
	sed -i 's|^PWD=.*/cwd$|PWD=JOB/cwd|' "$work/have"
	diff "$work/wanted" "$work/have"
}
ok '... the environment is as the page says' env_is
quietly towerify-host -q release h1

# --- KEEP, retries, checks ------------------------------------------------------------------

rm -f "$log"
change keep <<'END'
steps:
  - name: keeps
    unless: |
      echo check >>"$KEEP/what"
      false
    run: |
      echo run >>"$KEEP/what"
      exit 0
    verify: |
      echo verify >>"$KEEP/what"
    undo: |
      echo undo >>"$KEEP/what"
      cp "$KEEP/what" "$HOME/kept"
  - name: has its own
    run: |
      ls -A "$KEEP" >"$HOME/own"
      false
    undo: nothing
END
add h1 "$work/keep.yaml"
run_
ok 'KEEP lasts from check to undo' test "$(xargs <"$home/kept")" = \
	'check run verify undo'
ok '... and is of one step' test ! -s "$home/own"

change tries <<'END'
steps:
  - name: third time
    run: |
      "$HOME/mark" run
      echo x >>"$KEEP/n"
      test "$(wc -l <"$KEEP/n")" -ge 3
    undo: '"$HOME/mark" undo'
    retries: 2
    retry_delay: 1s
  - name: never
    check: |
      "$HOME/mark" check
      false
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
    retries: 1
  - name: not reached
    run: 'true'
    undo: nothing
END
rm -f "$log"
add h1 "$work/tries.yaml"
run_
ok 'retries' log_is "h1 $id 1 run
h1 $id 1 run
h1 $id 1 run
h1 $id 2 check
h1 $id 2 run
h1 $id 2 check
h1 $id 2 check
h1 $id 2 run
h1 $id 2 check
h1 $id 2 undo
h1 $id 1 undo"
ok '... the attempts are counted' test "$(towerify-queue show -J "$id" |
	jq -c '[.steps[].attempts]')" = '[3,2,0]'
ok '... the check after decided' reason_is "$id" \
	"step 2 'never': verify failed, exit status 1"

rm -f "$log"
change checks <<'END'
steps:
  - name: unless holds
    unless: 'true'
    run: '"$HOME/mark" run'
    undo: nothing
  - name: unless is not asked after
    unless: test -e "$KEEP/done"
    run: '"$HOME/mark" run'
    undo: nothing
  - name: verify alone
    verify: test -e "$HOME/verified"
    run: ': >"$HOME/verified"'
    undo: nothing
  - name: a broken check
    check: no-such-command-here
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
END
add h1 "$work/checks.yaml"
run_
ok 'check, unless, verify' steps_are "$id" \
	'unchanged/- done/- done/- failed/-'
ok '... a broken check runs nothing' log_is "h1 $id 2 run"
ok '... and says so' reason_is "$id" \
	"step 4 'a broken check': check failed, exit status 127"

change naps <<'END'
steps:
  - name: naps
    run: sleep 0.5
    undo: nothing
END
add h1 "$work/naps.yaml"
run_
ok 'a step takes as long as it does' test "$(towerify-queue show -J "$id" |
	jq '.steps[0].time')" -ge 480

leave
