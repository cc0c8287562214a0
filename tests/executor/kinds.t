#!/bin/sh
# kinds.t - steps of kinds: what the executor does with any, and what those that
# are shipped do to a host
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

init
d="$work/it's a dir"
mkdir "$d"
log=$work/log

# --- any kind
# Leaves a trace of each function; holds while $work/state is.
trace='# trace - leaves traces
check() { echo "check $arg_a" >>'"$log"'; test -e '"$work"'/state; }
keep() { echo "keep $arg_a" >>'"$log"'; echo "$arg_a" >"$KEEP/kept"; }
run() { echo "run $arg_a" >>'"$log"'; test ! -e '"$work"'/bad; : >'"$work"'/state; }
undo() { echo "undo $arg_a $(cat "$KEEP/kept")" >>'"$log"'; rm -f '"$work"'/state; }
undoable() { echo "undoable $arg_a" >>'"$log"'; }
'
logged() {
	have=$(tr '\n' ';' <"$log")
	: >"$log"
	[ "$have" = "$1" ] || { echo "have: $have"; echo "want: $1"; return 1; }
}
fails() {	# a last step that fails, so that all is undone
	does 'exit 1'
	undo nothing
	start
}

new
kind trace "$trace"
use trace a one
start
ok 'a step of a kind' is 'life 1; start 1; run 1 1; end 1 done verify 0; verdict succeeded'
ok 'its functions, in order' logged 'check one;keep one;run one;check one;'
new
kind trace "$trace"
use trace a two
start
ok 'what holds is unchanged' is 'life 1; start 1; end 1 unchanged check 0; verdict succeeded'
ok 'and nothing is kept for it' logged 'check two;'
rm "$work/state"
new
kind trace "$trace"
use trace a one
fails
ok 'it is undone' is 'life 1; start 1; run 1 1; end 1 done verify 0; start 2; run 2 1; end 2 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'
ok 'with what was kept' logged 'check one;keep one;run one;check one;undo one one;'
touch "$work/bad"
new
kind trace "$trace"
use trace a x
sed -i 's/^s_step 1 run 60 0/s_step 1 run 60 2/' "$prog"
start
ok 'it is tried again' is 'life 1; start 1; run 1 1; try 1 1 failed run 1; run 1 2; try 1 2 failed run 1; run 1 3; end 1 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'
ok 'and keeps once, before the first attempt' logged 'check x;keep x;run x;check x;run x;check x;run x;undo x x;'
rm -f "$work/bad"
new
kind trace "$trace"
use trace a x
undo impossible
fails
ok 'an undo that is declared impossible' says '[0-9]* [0-9]* verdict failed'
ok 'needs nothing kept' logged 'check x;run x;check x;'
rm -f "$work/state" "$spool/held"
new
kind trace "$trace"
use trace a p
printf 's_end %s\n' "$steps" >>"$prog"
send plan
ok 'a plan asks whether it could be undone' says 'plan 1 would 1'
ok 'and keeps nothing' logged 'check p;undoable p;'

new
kind stuck 'check() { false; }
keep() { echo "no way back"; false; echo never; }
run() { touch '"$work"'/never; }
undo() { touch '"$work"'/never; }'
use stuck
start
ok 'what cannot keep its way back does not begin' is 'life 1; start 1; end 1 failed prepare 1; verdict rolled-back'
ok 'and says why' has 'no way back'
new
kind stuck 'check() { return 3; }
undoable() { echo "no way back"; return 9; }
run() { touch '"$work"'/never; }
undo() { touch '"$work"'/never; }'
use stuck
printf 's_end 1\n' >>"$prog"
send plan
ok 'a plan says so, too' says 'plan 1 noundo 3'
sed -i '/s_end/d' "$prog"
start
ok 'undoable is asked before run where there is no keep' is 'life 1; start 1; end 1 failed prepare 1; verdict rolled-back'
new
kind gone 'check() { no-such-command; }
run() { touch '"$work"'/never; }
undo() { touch '"$work"'/never; }'
use gone
start
ok 'a broken check' is 'life 1; start 1; end 1 failed check 127; verdict rolled-back'
new
kind three 'check() { return 3; }
run() { touch '"$work"'/three; }
undo() { :; }'
use three
start
ok 'a check may fail with any status, after run too' is 'life 1; start 1; run 1 1; end 1 failed verify 3; undo 1; undone 1 done 0; verdict rolled-back'
new
kind errexit 'check() { test -e '"$work"'/e; }
run() { false; touch '"$work"'/never; }
undo() { :; }'
use errexit
start
ok '-e counts in a function' says '[0-9]* [0-9]* end 1 failed run 1'
ok 'nothing ran that must not' test ! -e "$work/never"

hostile='a "b" $(touch '"$work"'/never) `touch '"$work"'/never` '\''c'\'' ${x} \n {{x}} *
; touch '"$work"'/never
'
new
s_param p "$hostile"
s_param arg_a param
kind values 'check() { test -e '"$work"'/v; }
run() { printf %s "$arg_a" >'"$work"'/v; printf %s "$p" >'"$work"'/p; cat "$arg_c" >'"$work"'/c; printf "%s" "[$arg_none]" >'"$work"'/n; }
undo() { :; }'
head -c 100000 /dev/urandom >"$work/bytes"
use values a "$hostile" none ''
content c "$work/bytes"
start
ok 'hostile values' says '[0-9]* [0-9]* verdict succeeded'
printf '%s' "$hostile" >"$work/want"
ok 'arrive as they are' cmp "$work/want" "$work/v"
ok 'parameters, too' cmp "$work/want" "$work/p"
ok 'an empty one is there' test "$(cat "$work/n")" = '[]'
ok 'any bytes come as a file' cmp "$work/bytes" "$work/c"
ok 'and nothing of them was run' test ! -e "$work/never"
new
kind values 'check() { false; }
run() { :; }
undo() { :; }'
does 'test -z "${arg_a+set}${TOWERIFY_KIND+set}"' true
start
ok 'other steps see none of it' says '[0-9]* [0-9]* verdict succeeded'
new
s_secret pw hunter2hunter2
kind sec 'check() { test -e '"$work"'/sec; }
run() { printf %s "$pw" >'"$work"'/sec; }
undo() { :; }'
use sec
uses pw
start
ok 'a kind may use a secret' test "$(cat "$work/sec")" = hunter2hunter2

# --- crash: the executor dies while the kind keeps, or undoes
new
kind slow 'check() { false; }
keep() { touch '"$work"'/k1; until test -e '"$work"'/go1; do sleep 0.02; done; }
run() { touch '"$work"'/never; }
undo() { touch '"$work"'/never; }'
use slow
start_bg
crash_at "$work/k1"
send resume
ok 'a crash while it keeps: nothing ran, nothing is undone' recorded 'life 1; start 1; life 2; end 1 interrupted check 0; verdict rolled-back'
ok '... indeed' test ! -e "$work/never"

# --- what the shipped kinds do
shipped() { kind "$1" "$(cat "$top/share/kinds/$1")"; }
succeeds() { says '[0-9]* [0-9]* verdict succeeded'; }
back() { says '[0-9]* [0-9]* verdict rolled-back'; }
unchanged() { says '[0-9]* [0-9]* end 1 unchanged'; }
clean() {	# nothing of ours was left
	test -z "$(find "$d" -name '.towerify*')"
}
# Everything of a tree but the dates of directories.
tree() {
	(cd "$d" && find . -printf '%p %y %m %U %G %l ' \( -type f -printf '%T@ ' -exec sha256sum '{}' ';' -o -printf '\n' \) | sort)
}
# same COMMAND…: a change of it that fails leaves everything as it was
same() {
	tree >"$work/before"
	new
	"$@"
	fails
	back || return 1
	tree >"$work/after"
	diff "$work/before" "$work/after" && clean
}
# once COMMAND…: it succeeds, and the second time it is unchanged
once() {
	new
	"$@"
	start
	succeeds || return 1
	! unchanged || return 1
	new
	"$@"
	start
	succeeds && unchanged && clean
}

directory() {	# directory PATH STATE MODE OWNER
	shipped directory
	use directory path "$1" state "${2:-present}" mode "${3-}" \
		owner "${4-}"
}
ok 'directory: parents too, and back' same directory "$d/a/b c/\$(id)" present 0711
ok 'directory: made' once directory "$d/a/b c/\$(id)" present 0711
ok '... its mode' test "$(stat -c %a "$d/a/b c/\$(id)") $(stat -c %a "$d/a")" = '711 755'
ok 'directory: another mode, and back' same directory "$d/a" present 2750
chmod 3711 "$d/a/b c"
ok 'directory: all bits of a mode count' once directory "$d/a/b c" present 0755
chmod 3711 "$d/a/b c"
ok '... and come back' same directory "$d/a/b c" present 0700
ok 'directory: gone, and back' same directory "$d/a/b c/\$(id)" absent
new
directory "$d/a" absent
start
ok 'directory: one that is not empty stays' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && test -d "$d/a/b c"'
ok 'directory: gone' once directory "$d/a/b c/\$(id)" absent
: >"$d/file"
new
directory "$d/file/x"
start
ok 'directory: a file is in the way' says '[0-9]* [0-9]* end 1 failed prepare 1'
new
directory "$d/own/sub"
does "touch '$work/it'\\''s a dir/own/mine'" nothing
sed -i 's/^s_undo 2 script/s_undo 2 nothing/' "$prog"
fails
ok 'directory: what another left in it is not removed' eval 'test -e "$d/own/mine" && says "[0-9]* [0-9]* undone 1 failed"'
rm -rf "$d/own" "$d/file" "$spool/held"

line() {	# line PATH LINE STATE MATCH CREATE
	shipped line
	use line path "$1" line "$2" state "${3:-present}" match "${4-}" \
		create "${5:-true}"
}
printf 'one\n#two 2\nthree' >"$d/l"
chmod 4750 "$d/l"
touch -d '2001-01-01 00:00:00' "$d/l"
ok 'line: appended, and back' same line "$d/l" 'four'
ok 'line: a new file, and back' same line "$d/new" 'a $(touch never) `b` "c" \n'
ok 'line: replaced, and back' same line "$d/l" 'two 3' present '^#?two'
ok 'line: removed, and back' same line "$d/l" one absent
ok 'line: replaced' once line "$d/l" 'two 3' present '^#?two'
ok '... and nothing else' test "$(cat "$d/l") $(stat -c %a "$d/l")" = 'one
two 3
three 4750'
ok 'line: appended' once line "$d/l" '1.0'
ok '... after a newline of its own' test "$(cat "$d/l")" = 'one
two 3
three
1.0'
ok 'line: 1 is not 1.0' once line "$d/l" 1
ok 'line: options are no lines' once line "$d/l" '-e x'
ok 'line: removed' once line "$d/l" three absent
ok 'line: what is not there is not removed' eval 'new; line "$d/l" zzz absent; start; unchanged'
ln -s l "$d/link"
ok 'line: a link is followed' eval 'once line "$d/link" linked && test -L "$d/link" && grep -qx linked "$d/l"'
ok 'line: and back' same line "$d/link" linked2
new
line "$d/none" x present '' false
start
ok 'line: no file, none to be made' says '[0-9]* [0-9]* end 1 failed prepare 1'
new
line "$d/none" x present '' false
printf 's_end 1\n' >>"$prog"
send plan
ok '... which a plan says, too' says 'plan 1 noundo'
new
line "$d/l" 'x' present '('
start
ok 'line: a pattern that is none' says '[0-9]* [0-9]* end 1 failed run'
cp -a "$d/l" "$work/l"
new
line "$d/l" mine
does "echo theirs >>'$work/it'\\''s a dir/l'" nothing
sed -i 's/^s_undo 2 script/s_undo 2 nothing/' "$prog"
fails
ok 'line: not put back where another has changed the file' eval 'says "[0-9]* [0-9]* undone 1 failed 1" && has "changed by somebody else" && grep -qx theirs "$d/l" && clean'
rm -f "$spool/held"

template() {	# template PATH CONTENT [MODE [OWNER]]
	shipped template
	use template path "$1" content "$2" source '' mode "${3-}" \
		owner "${4-}"
}
filled() {
	s_param name "$hostile"
	s_param empty ''
	template "$@"
}
given='a {{name}} b{{ empty }}c {{{{name}} {{fact.hostname}}
 {{fact.os}}/{{fact.memory_kb}} \n $(touch '"$work"'/never) %s & {{empty}}'
ok 'template: filled in, and back' same filled "$d/t" "$given" 0640
ok 'template: filled in' once filled "$d/t" "$given" 0640
. /etc/os-release
printf 'a %s bc {{name}} %s\n %s/%s \\n $(touch '"$work"'/never) %%s & ' "$hostile" \
	"$(cat /proc/sys/kernel/hostname)" "$ID" "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" >"$work/want"
ok '... byte for byte' cmp "$work/want" "$d/t"
ok '... its mode' test "$(stat -c %a "$d/t")" = 640
ok '... nothing was run' test ! -e "$work/never"
ok 'template: another text, and back' same filled "$d/t" 'new {{name}}
'
ok 'template: the mode that is there stays' eval 'once filled "$d/t" "x
" && test "$(stat -c %a "$d/t") $(cat "$d/t")" = "640 x"'
ok 'template: nothing' eval 'once filled "$d/t0" "" && test ! -s "$d/t0" && test -f "$d/t0"'
new
filled "$d/t" 'a {{nobody}}'
start
ok 'template: a name that is not known' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && has "{{nobody}} is not known" && test "$(cat "$d/t")" = x'
new
filled "$d/t" 'a {{PATH}} {{fact.nothing}} {{'
start
ok 'template: names that are none' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && has "{{PATH}}" && has "{{fact.nothing}}"'
ln -s /nowhere "$d/tl"
ok 'template: a link is replaced, and back' same filled "$d/tl" x
new
filled "$d/no/where" x
start
ok 'template: no directory' says '[0-9]* [0-9]* end 1 failed prepare 1'
yes 'line {{n}} {{{{' | head -n 5000 >"$work/long"
yes 'line 7 {{' | head -n 5000 >"$work/want"
new
s_param n 7
shipped template
use template path "$d/long" content '' mode '' owner ''
content source "$work/long"
start
ok 'template: from a file' cmp "$work/want" "$d/long"
echo old >"$d/kept"
new
shipped template
use template path "$d/kept" source "$work/nowhere" content '' mode '' owner ''
start
ok 'template: a text that is not to be read leaves the file' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && has "cannot be read" && test "$(cat "$d/kept")" = old'
new
s_secret pw "it's secret {{n}}"
template "$d/secret" 'password={{pw}}' 0600
uses pw
start
ok 'template: a secret' test "$(cat "$d/secret")" = "password=it's secret {{n}}"
ok '... lies nowhere else' test -z "$(grep -rlF "it's secret" "$spool")"

fetched() {	# fetched PATH FILE [MODE [OWNER [SHA256]]]
	shipped fetch
	use fetch url http://x/ sha256 "${5-$(sha256sum <"$2" | cut -d ' ' -f 1)}" \
		path "$1" mode "${3-}" owner "${4-}"
	content fetched "$2"
}
head -c 200000 /dev/urandom >"$work/tarball"
printf 'small\0\n' >"$work/tarball2"
ok 'fetch: new, and back' same fetched "$d/f" "$work/tarball" 0750
ok 'fetch: new' once fetched "$d/f" "$work/tarball" 0750
ok '... byte for byte' cmp "$work/tarball" "$d/f"
ok '... its mode' test "$(stat -c %a "$d/f")" = 750
ok 'fetch: another content, and back' same fetched "$d/f" "$work/tarball2"
ok 'fetch: another mode, and back' same fetched "$d/f" "$work/tarball" 0600
ok 'fetch: the mode that is there stays' eval 'once fetched "$d/f" "$work/tarball2" && cmp "$work/tarball2" "$d/f" && test "$(stat -c %a "$d/f")" = 750'
ok 'fetch: the default mode' eval 'once fetched "$d/f0" /dev/null && test "$(stat -c "%a %s" "$d/f0")" = "644 0"'
ln -s /nowhere "$d/fl"
ok 'fetch: a link is replaced, and back' same fetched "$d/fl" "$work/tarball2"
new
fetched "$d/f1" "$work/tarball" '' '' "$(printf '%064d' 1)"
start
ok 'fetch: what came is not what was asked for' eval 'says "[0-9]* [0-9]* end 1 failed run 1" && back && has "has not the hash" && test ! -e "$d/f1" && clean'
new
fetched "$d/no/where" "$work/tarball2"
start
ok 'fetch: no directory' says '[0-9]* [0-9]* end 1 failed prepare 1'
mkdir "$d/fd"
new
fetched "$d/fd" "$work/tarball2"
start
ok 'fetch: a directory is in the way' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && has "is not a regular file"'
ok 'fetch: what goes while it is undone' eval 'new; fetched "$d/f2" "$work/tarball2"; does "rm \"$d/f2\"" true; fails; back && test ! -e "$d/f2"'

wait_for() {	# wait_for PORT HTTP COMMAND SECONDS IN_A_ROW STATUS
	shipped wait
	use wait port "$1" http "$2" command "$3" host 127.0.0.1 \
		status "${6-}" seconds "${4:-1}" interval 1 patience 5 \
		in_a_row "${5:-1}"
	undo nothing
}
new
wait_for '' '' true
start
ok 'wait: for what is there already' unchanged
new
wait_for '' '' "test -e $work/ready || { touch $work/asked; false; }" 20
start_bg
until_ test -e "$work/asked"
touch "$work/ready"
wait "$sender"
ok 'wait: for a command' eval 'succeeds && ! unchanged'
new
wait_for '' '' "echo \"not yet\"; false"
start
ok 'wait: not for ever' eval 'says "[0-9]* [0-9]* end 1 failed run 1" && has "the command fails: not yet"'
new
wait_for '' '' "sleep 600 & test -e $work/ready" 20
sed -i 's/^s_step 1 run 60/s_step 1 run 10/' "$prog"
start
ok 'wait: not for what a command leaves behind' unchanged
new
wait_for '' '' "echo x >>$work/row; test \$(wc -l <$work/row) -gt 2" 10 2
start
ok 'wait: so many in a row' eval 'succeeds && lines 6 "$work/row"'
cat >"$work/serve" <<'END'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
open my $f, '>', "$ARGV[0].new"; print $f $s->sockport; close $f;
rename "$ARGV[0].new", $ARGV[0];
while (my $c = $s->accept) {
	my $l = <$c> // '';
	my $code = $l =~ m{^GET /bad} ? 503 : 200;
	print $c "HTTP/1.0 $code x\r\n\r\nhello";
	close $c;
}
END
perl "$work/serve" "$work/port" &
server=$!
until_ test -e "$work/port"
port=$(cat "$work/port")
new
wait_for "$port" '' ''
start
ok 'wait: for a port' unchanged
new
wait_for '' "http://127.0.0.1:$port/a?b" ''
start
ok 'wait: for a page' unchanged
new
wait_for '' "http://127.0.0.1:$port/bad" ''
start
ok 'wait: a page that fails' eval 'says "[0-9]* [0-9]* end 1 failed run 1" && has "answers with 503"'
new
wait_for '' "http://127.0.0.1:$port/bad" '' 1 1 503
start
ok 'wait: for that very status' unchanged
kill "$server"
wait "$server" || :
new
wait_for "$port" '' ''
start
ok 'wait: a port that is closed' eval 'says "[0-9]* [0-9]* end 1 failed run 1" && has "nothing answers"'

if [ "$(id -u)" -ne 0 ]; then
	skip 'owners, and the kind user' 'not root'
	finish
	exit
fi

# --- owners
ok 'directory: owner, and back' same directory "$d/a" present 0755 daemon:bin
ok 'directory: owner' once directory "$d/a" present 0755 daemon:bin
ok '... by number' eval 'new; directory "$d/a" present "" 1:2; start; unchanged'
chown 1:2 "$d/l"
ok 'line: keeps the owner' eval 'once line "$d/l" owned && test "$(stat -c %u:%g "$d/l")" = 1:2'
ok 'line: and back' same line "$d/l" owned2
ok 'template: owner, and back' same filled "$d/t" z 0600 daemon:bin
ok 'template: owner' once filled "$d/t" z 0600 daemon:bin
ok 'fetch: owner and set-user-ID, and back' same fetched "$d/f" "$work/tarball" 4711 daemon:bin
ok 'fetch: owner and set-user-ID' once fetched "$d/f" "$work/tarball" 4711 daemon:bin
ok '... as asked' test "$(stat -c '%a %U:%G' "$d/f")" = '4711 daemon:bin'
ok 'fetch: which stay' eval 'once fetched "$d/f" "$work/tarball2" && test "$(stat -c "%a %U:%G" "$d/f")" = "4711 daemon:bin"'
ok 'fetch: and come back' same fetched "$d/f" "$work/tarball" 0644 root:root

# --- accounts: in a copy of /etc that nobody else sees
etc=$work/etc
cp -a /etc "$etc"
mkdir "$work/homes"
private='unshare --mount --propagation private sh -c'
if ! $private 'mount --bind "$1" /etc' - "$etc" 2>/dev/null; then
	skip 'the kind user' 'no mount namespaces'
	finish
	exit
fi
as_private=$work/as
printf '%s\n' '#!/bin/sh' "exec $private 'mount --bind $etc /etc && exec \"\$@\"' - \"\$@\"" >"$as_private"
chmod 755 "$as_private"
as=$as_private
d=$work/homes
accounts() { (cd "$etc" && sha256sum passwd shadow group gshadow subuid subgid); }
user() {	# user NAME STATE [ARG VALUE]…
	shipped user
	use user name "$1" state "$2"
	shift 2
	for name in uid group groups home shell comment system; do
		value=
		[ "$name" != system ] || value=false
		for pair; do
			[ "${pair%%=*}" != "$name" ] || value=${pair#*=}
		done
		arg "$name" "$value"
	done
}
same_user() {
	accounts >"$work/acc"
	same user "$@" || return 1
	accounts | diff "$work/acc" -
}
entry() { grep "^$1:" "$etc/passwd" | cut -d : -f 3-; }
ok 'user: made, and back byte for byte' same_user twkind present "home=$d/tw"
ok 'user: a system account, and back' same_user twkind present system=true groups='daemon bin'
ok 'user: made' once user twkind present "home=$d/tw" uid=48123 shell=/bin/dash 'comment=A $(id) "name"' groups='daemon bin'
ok '... as it was asked for' test "$(entry twkind | sed 's/^48123:[0-9]*://')" = "A \$(id) \"name\":$d/tw:/bin/dash"
ok '... its home' test "$(stat -c %u "$d/tw")" = 48123
ok '... its groups' eval 'grep -q "^daemon:.*twkind" "$etc/group" && grep -q "^bin:.*twkind" "$etc/group"'
ok 'user: shell, comment and groups changed, and back' same_user twkind present shell=/bin/bash comment=other groups='daemon sys' home=/elsewhere
ok 'user: its group changed, and back' same_user twkind present group=sys
ok '... its home is still there' test -d "$d/tw"
new
user twkind present uid=48124
start
ok 'user: another number is refused' says '[0-9]* [0-9]* end 1 failed prepare 1'
new
user twkind present groups=nosuchgroup
start
ok 'user: a group that is not there is refused' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && has "no group nosuchgroup"'
printf 'twkind:%s\n' '$6$abc$def' | $as chpasswd -e
$as chage -M 90 -W 5 -E 2033-01-01 twkind
files_of() { for f in passwd shadow group gshadow subuid subgid; do echo "$f"; grep -w twkind "$etc/$f" | tr ':' '\n' | sort; done; }
files_of >"$work/acc"
new
user twkind absent
does 'if getent passwd twkind; then exit 1; fi' true
fails
files_of >"$work/acc2"
ok 'user: removed, and back with all it had' eval 'back && diff "$work/acc" "$work/acc2"'
ok '... its home was left alone' test -d "$d/tw"
ok 'user: removed' once user twkind absent

# what was there before is nobody's to remove
$as groupadd -g 48999 twgrp
ok 'user: made with a group that is there, and back' same_user twgrp present group=twgrp "home=$d/twgrp"
ok 'user: with a home below directories that are not there, and back' same_user twkind present "home=$d/x/y/z"
ok 'user: with a home through a link to nowhere, and back' eval 'ln -s "$d/none" "$d/dangling"; same_user twkind present "home=$d/dangling"; rm "$d/dangling"'
sed -i "s|^#* *HOME=.*||; \$ a HOME=$d/base" "$etc/default/useradd"
mkdir -p "$d/base/twkind"
echo precious >"$d/base/twkind/file"
ok 'user: a home that was there stays, wherever homes are' same_user twkind present
new
user twkind present "home=$d/made"
does "usermod -d '$d/base' twkind" true
fails
ok 'user: only the home that was made goes' eval 'back && test -e "$d/base/twkind/file"'
ok 'user: made' once user twkind present "home=$d/tw2" uid=48123
echo x >"$d/tw2/own"
chown --reference="$d/tw2" "$d/tw2/own"
echo x >"$d/tw2/system"
chown 48123:sys "$d/tw2/system"
ln -s nowhere "$d/tw2/link"
chown -h 48123:sys "$d/tw2/link"
ok 'user: its group changed, and back, as are the groups of its files' same_user twkind present group=sys
$as passwd -q -d twkind
files_of >"$work/acc"
new
user twkind absent
fails
files_of >"$work/acc2"
ok 'user: without a password, removed and back' eval 'back && diff "$work/acc" "$work/acc2"'
$as usermod -p '!' twkind
files_of >"$work/acc"
new
user twkind absent
fails
files_of >"$work/acc2"
ok 'user: with a password that is none, removed and back' eval 'back && diff "$work/acc" "$work/acc2"'
new
user twkind present group=--help
start
ok 'user: options are no groups' eval 'says "[0-9]* [0-9]* end 1 failed prepare 1" && has "there is no group --help"'
finish
