#!/bin/sh
# gate.t - what a tool refuses to callers who came through a gate, and
# towerify-shell; with real sudo and sshd: tests/rig/gate.t
# shellcheck source=tests/lib/tower.sh
# shellcheck disable=SC2016,SC2088 # texts for towerify-shell
. "$(dirname "$0")/../lib/tower.sh"

host=towerify-host
queue=towerify-queue
audit=towerify-audit

tower_sshd
tower_hosts 1
cat >"$work/good.yaml" <<'END1'
towerify: 1
title: Nothing much
params:
  word: {type: string, default: none}
steps:
  - name: says
    run: echo "$word"
    undo: nothing
END1
$audit checkpoint >"$work/checkpoint"

# Behind the gate of keys the state is said by towerify-shell.
gated() {
	try env TOWERIFY_OPERATOR="$me" "$@"
}
other=$(awk -F : -v me="$me" '$1 != me && $3 > 0 { print $3; exit }' \
	/etc/passwd)
# Behind sudo nobody says it: what needs one is tried in tests/rig.
sudoed() {
	try env -u TOWERIFY_STATE SUDO_UID="$other" "$@"
}

# --- the state --------------------------------------------------------------------

for gate in gated sudoed; do
	for where in "$TOWERIFY_STATE" "$work/none" /etc ''; do
		case $where in '') continue ;; esac
		$gate $queue list --state "$where"
		is "$gate: --state $where" 77 '' \
			"$queue: --state can't be used behind a gate"
	done
	$gate $queue --state="$TOWERIFY_STATE" check - <"$work/good.yaml"
	is "$gate: ... for verbs that need none too" 77 '' \
		"$queue: --state can't be used behind a gate"
done
for where in "$TOWERIFY_STATE" "$work/none"; do
	try env SUDO_UID="$other" TOWERIFY_STATE="$where" $queue list
	is "behind sudo: TOWERIFY_STATE=$where" 77 '' \
		"$queue: TOWERIFY_STATE can't be used behind a gate"
done
try env SUDO_UID="$other" TOWERIFY_STATE="$TOWERIFY_STATE" \
	TOWERIFY_OPERATOR="$me" $queue list
is 'behind sudo TOWERIFY_OPERATOR does not count' 77 '' \
	"$queue: TOWERIFY_STATE can't be used behind a gate"
gated $queue list
is 'behind the gate of keys TOWERIFY_STATE does' 0 '' ''
try env SUDO_UID="$(id -u)" $queue list --state "$TOWERIFY_STATE"
is 'sudo to oneself is no gate' 0 '' ''
for uid in '' x -1 " $(id -u)" "+$(id -u)" "0x$(id -u)"; do
	try env SUDO_UID="$uid" $queue list --state "$TOWERIFY_STATE"
	is "SUDO_UID='$uid' is one" 77 '' \
		"$queue: --state can't be used behind a gate"
done
for name in '' -x 'a b' ../x 'a/b'; do
	try env TOWERIFY_OPERATOR="$name" $host list --state "$TOWERIFY_STATE"
	is "TOWERIFY_OPERATOR='$name' is one" 77 '' \
		"$host: --state can't be used behind a gate"
	try env TOWERIFY_OPERATOR="$name" SUDO_UID= $host list
	is '... and opens nothing' 77 '' \
		"$host: TOWERIFY_STATE can't be used behind a gate"
done

# --- files ------------------------------------------------------------------------

# The same words whatever the file is: nothing is told of it.
ln -s "$work/good.yaml" "$work/link"
ln -s "$work/absent" "$work/dangling"
mkfifo "$work/fifo"
: >"$work/shut"
chmod 000 "$work/shut"
paths="/etc/passwd $work/good.yaml $work/absent $work $work/link $work/dangling
	$work/fifo $work/shut /dev/stdin /dev/null /proc/self/environ
	/dev/fd/0 ./- -- ../../etc/shadow ~ $work/absent/x"
refused() {	# refused TEXT TOOL [OBJECT]
	is "$1" 77 '' "$2: ${3:-}a file can't be used behind a gate
hint: give it on standard input, as '-'"
}
for path in $paths; do
	[ "$path" != -- ] || path=./--
	for gate in gated sudoed; do
		$gate $queue check "$path" <"$work/good.yaml"
		refused "$gate: queue check $path" $queue
		$gate $queue check - -p word@"$path" <"$work/good.yaml"
		refused "$gate: queue check -p K@$path" $queue \
			"parameter 'word': "
	done
	gated $queue add h1 "$path" <"$work/good.yaml"
	refused "queue add h1 $path" $queue
	gated $queue plan h1 "$path" <"$work/good.yaml"
	refused "queue plan h1 $path" $queue
	gated $queue add h1 - -p word@"$path" <"$work/good.yaml"
	refused "queue add -p K@$path" $queue "parameter 'word': "
	gated $audit verify --checkpoint "$path" <"$work/checkpoint"
	refused "audit verify --checkpoint $path" $audit
	gated $host add h2 "$address" --accept-host-key --identity "$path"
	is "host add --identity $path" 77 '' \
		"$host: an identity file can't be used behind a gate
hint: the organisation's key logs in: towerify-host key"
	gated $host set h1 identity="$path"
	is "host set identity=$path" 77 '' \
		"$host: an identity file can't be used behind a gate
hint: the organisation's key logs in: towerify-host key"
done
for source in /etc/passwd "$work/good.yaml" "$work/absent" good.yaml absent \
	../x "$work" -; do
	sed '/run:/,$d' "$work/good.yaml" >"$work/source.yaml"
	printf '    file: {path: /tmp/x, source: "%s"}\n' "$source" \
		>>"$work/source.yaml"
	gated $queue check - <"$work/source.yaml"
	mv "$work/err" "$work/first"
	sed "s|$source|SOURCE|" "$work/first" >"$work/err"
	like "a change file with source: $source" "$status" '' '*behind a gate*'
	ok '... exits 65 or 77' test "$status" -eq 65 -o "$status" -eq 77
	[ -e "$work/same" ] || cp "$work/err" "$work/same"
	ok '... in the same words' cmp "$work/err" "$work/same"
done
gated $queue list --all
is 'nothing was filed' 0 '' ''
gated $host list -n -o name
is 'no host was added' 0 h1 ''

# What works without the gate and with it.
try $queue check "$work/good.yaml" -q
like 'without a gate a file is read' 0 '*says*' '*'
gated $queue check - <"$work/good.yaml"
like 'standard input is read' 0 '*says*' '*'
gated $queue add h1 - --reason 'by hand' <"$work/good.yaml"
is 'a change is filed' 0 1 ''
gated $audit verify --checkpoint - <"$work/checkpoint"
like 'a checkpoint is read' 0 '' '*holds the checkpoint'
gated $host set h1 identity=
is 'an identity is taken away' 0 '' ''
gated towerify-op whoami -n --tsv -o operator
is 'whoami says who' 0 "$me" ''
gated env TOWERIFY_OPERATOR=nobody-here $queue list
is 'who is no operator is told so' 77 '' \
	"$queue: nobody-here is not an operator of this tower"

# --- the process ------------------------------------------------------------------

# What a library opens because the environment names it.
if command -v strace >/dev/null; then
	mkdir -p "$work/evil/towerify"
	opened() {	# opened VAR=VALUE…
		status=0
		env TOWERIFY_OPERATOR="$me" "$@" strace -f -o "$work/trace" \
			-e trace=%file $host check h1 >"$work/out" \
			2>&1 </dev/null || status=$?
		grep -F "$work/evil" "$work/trace" |
			grep -v '^[0-9]* *execve(' || :
	}
	evil=$work/evil/x
	opened OPENSSL_CONF="$evil" OPENSSL_MODULES="$work/evil" \
		OPENSSL_ENGINES="$work/evil" SSH_AUTH_SOCK="$evil" \
		XDG_STATE_HOME="$work/evil" TZ="$evil" TZDIR="$work/evil" \
		TMPDIR="$work/evil" LOCPATH="$work/evil" LC_ALL="$evil" \
		LANG="../../..$evil" NLSPATH="$evil" TERMINFO="$work/evil" \
		TERM="$evil" HOME="$work/evil" PATH="$work/evil:$PATH" \
		GCONV_PATH="$work/evil" SSL_CERT_FILE="$evil" \
		SQLITE_TMPDIR="$work/evil" >"$work/said2"
	ok 'nothing is opened that the environment names' \
		test ! -s "$work/said2"
else
	skip 'nothing is opened that the environment names' 'no strace'
fi
# It is the state that is written, with the modes it must have.
(
	umask 000
	env TOWERIFY_OPERATOR="$me" $host hold h1 && exit
) >"$work/out" 2>&1
ok "the caller's umask does not matter" test -z \
	"$(find "$TOWERIFY_STATE" -perm /077 ! -name '*.pub')"
# The limit is for what it says, too.
gated sh -c "{ (ulimit -f 0; exec $host release h1); echo \$?; } 2>&1 | cat"
like 'a limit on the size of files is an error' 0 "$host: *${newline}78" ''
ok '... the state is sound' $audit verify
gated sh -c "ulimit -n 4; exec $host release h1"
ok '... of open files too' test "$status" -ne 0 -a "$status" -lt 126
ok '... the state is sound' $audit verify
gated sh -c "exec $host release h1 <&- >&- 2>&-"
is 'closed descriptors don'\''t matter' 0 '' ''
ok '... the state is sound' $audit verify

# --- towerify-shell ---------------------------------------------------------------

# typed COMMAND [OPERATOR]: as sshd would run it for that.
typed() {
	try env SSH_ORIGINAL_COMMAND="$1" TOWERIFY_STATE=/none TERM=xterm \
		towerify-shell --state "$TOWERIFY_STATE" "${2:-$me}"
}
typed 'towerify-op whoami -n --tsv -o operator,state'
is 'the tool runs for the operator' 0 "$me	$TOWERIFY_STATE" ''
typed "towerify-host hold h1 --reason 'it'\\''s \"new\"; \$(id)'"
is 'quotes as in a shell' 0 '' ''
typed 'towerify-host show h1 -o held_reason --tsv -n'
is '... and no shell' 0 "it's \"new\"; \$(id)" ''
typed 'towerify-host release h1'
is 'a verb that writes' 0 '' ''
typed 'towerify-op whoami' nobody-here
is 'who is no operator' 77 '' \
	'towerify-op: nobody-here is not an operator of this tower'
typed "towerify-queue list --state $TOWERIFY_STATE"
is 'the tool is behind a gate' 77 '' \
	"towerify-queue: --state can't be used behind a gate"
typed 'towerify-queue check /etc/passwd'
refused '... for files' towerify-queue

hint='hint: a command begins with the name of a tool, such as towerify-queue, without a path'
for line in id sh 'sh -c id' /bin/sh "$(command -v towerify-queue)" \
	./towerify-queue ../bin/towerify-queue 'sftp-server' 'scp -t /tmp' \
	internal-sftp '--state /tmp me' '-c id' "''" '~/x' 'env X=y id' \
	'TOWERIFY_OPERATOR=bob towerify-op whoami' 'exec towerify-op'; do
	typed "$line"
	word=${line%% *}
	[ "$word" != "''" ] || word=
	like "no tool: $line" 2 '' "towerify-shell: '$word' is none of the tools*"
done
typed 'id'
is 'no tool: the hint' 2 '' "towerify-shell: 'id' is none of the tools
$hint"
for line in towerify-queu Towerify-queue 'towerify-shell bob'; do
	typed "$line"
	like "no tool, nearly: $line" 2 '' \
		"towerify-shell: '${line%% *}' is none of the tools*hint: did you*"
done
for line in 'towerify-op whoami; id' 'towerify-op whoami|id' \
	'towerify-op whoami&' 'towerify-op $(id)' 'towerify-op `id`' \
	'towerify-op "$(id)"' 'towerify-op <x' 'towerify-op >x' ';id' \
	'(id)' '$SHELL' '`id`'; do
	typed "$line"
	like "no shell: $line" 2 '' \
		"towerify-shell: '?' is for a shell, and there is no shell here*"
done
typed "towerify-op whoami${newline}id"
is 'a newline' 2 '' \
	'towerify-shell: the command holds a control character, number 10'
typed "towerify-op 'whoami"
is 'half a quote' 2 '' "towerify-shell: a quote ' has no end"
typed 'towerify-app list'
is 'the catalogue, empty' 0 '' ''
mkdir "$work/alone"
cp "$(command -v towerify-shell)" "$work/alone/"
try env SSH_ORIGINAL_COMMAND='towerify-app list' \
	"$work/alone/towerify-shell" "$me"
is 'a tool that is not there' 78 '' \
	'towerify-shell: towerify-app is not installed on this tower'
for line in '' ' '; do
	typed "$line"
	like "no command ('$line'): the help" 2 '' 'Usage: towerify-shell *'
done
try towerify-shell "$me"
like 'no command: the help' 2 '' 'Usage: towerify-shell *'
try towerify-shell --help
like '--help' 0 'Usage: towerify-shell *' ''

for args in '' '--state' '--state relative x' '--state' '-x' 'a b' '-c id' \
	'../x' '--state / a b'; do
	# shellcheck disable=SC2086 # words
	try env SSH_ORIGINAL_COMMAND='towerify-op whoami' towerify-shell $args
	like "its own command line is wrong: '$args'" 2 '' 'towerify-shell: *'
done
try env SSH_ORIGINAL_COMMAND='towerify-op whoami' SUDO_UID="$other" \
	towerify-shell "$me"
is 'it is no gate for sudo' 77 '' \
	'towerify-shell: this is a gate for sshd, not for sudo'

# The tool's environment: what is here and no more.
mkdir "$work/bin"
cp "$(command -v towerify-shell)" "$work/bin/"
cat >"$work/bin/towerify-queue" <<'END1'
#!/bin/sh
for i in "$@"; do printf '[%s]' "$i"; done
echo
/usr/bin/env | sort
END1
chmod 755 "$work/bin/towerify-queue"
try env LD_BIND_NOW=1 IFS=x ENV="$work/x" TERM=xterm LC_ALL=C TZ=x \
	PATH="$work/evil" TOWERIFY_ORG=x SSH_CONNECTION=x \
	SSH_ORIGINAL_COMMAND="towerify-queue  '' ~ * 'a b' -x\"\"" \
	"$work/bin/towerify-shell" alice
grep -v '^\(PWD\|_\|SHLVL\|OLDPWD\)=' "$work/out" >"$work/env"
mv "$work/env" "$work/out"
is 'words and environment' 0 "[][~][*][a b][-x]
HOME=$(getent passwd "$me" | cut -d : -f 6)
LANG=C.UTF-8
LOGNAME=$me
PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
TERM=xterm
TOWERIFY_OPERATOR=alice
USER=$me" ''
try env TERM=../x SSH_ORIGINAL_COMMAND=towerify-queue \
	"$work/bin/towerify-shell" alice
ok 'a TERM that is a path is dropped' sh -c "! grep ^TERM= '$work/out'"

# --- the examples -----------------------------------------------------------------

if command -v visudo >/dev/null; then
	sed 's|@bindir@|/usr/bin|' "$top/share/gate/sudoers.in" >"$work/sudoers"
	ok 'visudo has nothing to say of the example' \
		visudo -c -f "$work/sudoers"
else
	skip 'visudo has nothing to say of the example' 'no visudo'
fi
sed "s|^Port.*||; s|^HostKey.*||" "$top/share/gate/sshd_config" \
	>"$work/sshd_config"
ok 'sshd reads the example' "${SSHD_PROGRAM:-/usr/sbin/sshd}" -t \
	-h "$work/sshd/host_ed25519" -f "$work/sshd_config"
finish
