#!/bin/sh
# successor.t - a change that closes the login the tower came by: the one it
# names is tried while it runs, where the host refuses the old one, and is the
# host's when it has succeeded
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

# One host with two sshds, each a login: the steps open and close them by their
# lists of keys.  A third one shows another host key.
tower_sshd
tower_hosts 1
mkdir -m 700 "$work/sshd-two"
cp -p "$work"/sshd/host_* "$work/sshd-two"
SSHD_EXTRA="SetEnv HOME=$home"
other_sshd two
SSHD_EXTRA=
other_sshd three
one=$port
two=$(cat "$work/sshd-two/port")
three=$(cat "$work/sshd-three/port")
towerify-host key >"$home/key"
echo "# ports $one $two $three, seed $seed"

# keys NAME yes|no: who may log in there
keys() {
	case $2 in
	yes) cat "$home/key" ;;
	esac >"$work/sshd${1#one}/authorized_keys"
}
# The same for steps.
cat >"$home/keys" <<'END'
#!/bin/sh
case $2 in
yes) cat "$HOME/key" ;;
esac >"${HOME%/sshd/home}/sshd${1#one}/authorized_keys"
END
chmod 755 "$home/keys"

# swap NAME OLD NEW PORT: what a change does that moves the login
swap() {
	change "$1" <<END
params:
  port: {type: integer, default: 1}
successor: {port: $4}
steps:
  - name: before
    run: '"\$HOME/mark" run; "\$HOME/block" a'
    undo: '"\$HOME/mark" undo'
  - name: the other way in
    run: '"\$HOME/keys" $3 yes; "\$HOME/mark" run; "\$HOME/block" b'
    undo: '"\$HOME/keys" $3 no; "\$HOME/mark" undo'
  - name: no way back
    run: '"\$HOME/keys" $2 no; "\$HOME/mark" run; "\$HOME/block" c'
    undo: '"\$HOME/keys" $2 yes; "\$HOME/mark" undo'
  - name: after
    run: |
      "\$HOME/mark" run
      "\$HOME/block" d
      test ! -e "\$HOME/fails"
    undo: nothing
END
}
swap there one -two "$two"
swap back -two one "$one"
swap alien one -three "$three"

# Blocks that are not of interest let through at once.
go() {
	rm -f "$home"/*.here "$home"/*.go
	for go_on in a b c d; do
		case " $* " in
		*" $go_on "*) ;;
		*) : >"$home/$go_on.go" ;;
		esac
	done
}
at() {
	until_ test -e "$home/$1.here"
}
# The runner and its connections die.
dies() {
	kill -STOP "$runner" 2>/dev/null || :	# it may have ended
	sshd_sessions "$work/sshd"
	sshd_sessions "$work/sshd-two"
	kill -KILL "$runner" 2>/dev/null || :
	wait "$runner" 2>/dev/null || :
}
login_is() {	# of h1, PORT
	have=$(towerify-host show -J h1 | jq .port)
	[ "$have" -eq "$1" ] || { echo "port $have, wanted $1"; return 1; }
}
records() {	# records ACTION ID: how many there are
	towerify-audit list -J --change "$2" |
		jq "[.records[] | select(.action == \"$1\")] | length"
}
runs_are() {	# each step of $id ran once, in order
	log_is "h1 $id 1 run${newline}h1 $id 2 run${newline}h1 $id 3 run${newline}h1 $id 4 run"
}
logins() {	# how often somebody came to sshd NAME
	grep -c 'Connection from' "$work/sshd$1/sshd.log" || :
}
let_in() {	# sshd NAME let more in than N
	[ "$(grep -c 'Accepted publickey' "$work/sshd$1/sshd.log")" -gt "$2" ]
}
taken_over() {
	[ "$(records change.login "$id")" -eq 1 ]
}
reset() {
	rm -f "$log" "$home/fails"
	keys one yes
	keys -two no
	sql "UPDATE host SET port = $one, held_reason = NULL, held_by = NULL,
		held_since = NULL, failures = 0, next_attempt = NULL"
}
reset

# --- a whole one -----------------------------------------------------------------

go
add h1 "$work/there.yaml"
ok 'it is said before it runs' test \
	"$(towerify-queue show -J "$id" | jq -r .successor)" = "port $two"
run_
ok 'a change that closes the login it runs by succeeds' status_is "$id" succeeded
ok '... the successor is the host'\''s login' login_is "$two"
ok '... says the audit trail' test "$(records host.login "$id")" -eq 1
ok '... which had not to be tried' test "$(records change.login "$id")" -eq 0
rm -f "$log"
add h1 "$work/back.yaml"
run_
ok 'the next one comes by it' status_is "$id" succeeded
ok '... in the same spool' runs_are
ok '... and goes back' login_is "$one"
ok '... each record has both logins' eval 'towerify-audit list -J \
	--change "$id" | jq -e --argjson one "$one" --argjson two "$two" \
	".records[] | select(.action == \"host.login\") | .detail |
	if type == \"string\" then fromjson else . end |
	.old.port == \$two and .new.port == \$one"'
try towerify-queue check "$work/there.yaml"
like 'check says it' 0 "*successor login: port $two*" ''
try towerify-queue plan h1 "$work/there.yaml"
like 'plan says it' 0 '*' "*successor login: port $two"

# --- the runner dies ---------------------------------------------------------------

for transport in libssh2 ssh; do
	towerify-host set h1 "transport=$transport"
	for moment in a b c d; do
		reset
		go "$moment"
		add h1 "$work/there.yaml"
		run_bg
		at "$moment"
		dies
		before=$(grep -c 'Accepted publickey' "$work/sshd/sshd.log")
		run_bg
		case $moment in
		a | b)
			until_ let_in '' "$before"
			;;
		c | d)
			until_ taken_over
			dies
			one_before=$(logins '')
			before=$(grep -c 'Accepted publickey' \
				"$work/sshd-two/sshd.log")
			run_bg
			until_ let_in -two "$before"
			ok "$transport, $moment: once it was let in it comes first" \
				test "$(logins '')" -eq "$one_before"
			;;
		esac
		: >"$home/$moment.go"
		run_ends
		ok "$transport: the runner died at $moment: it succeeds" \
			status_is "$id" succeeded
		ok '... each step ran once' runs_are
		ok '... the login is the successor' login_is "$two"
		case $moment in
		a | b) want=0 ;;
		*) want=1 ;;
		esac
		ok '... let in when the old one was closed, not before' test \
			"$(records change.login "$id")" -eq "$want"
	done
done
towerify-host set h1 transport=auto

# At any moment, there and back.
reset
go
: >"$work/filed"
random 14 450 >"$work/moments"
name=there
while read -r moment; do
	rm -f "$log"
	add h1 "$work/$name.yaml"
	run_bg
	sleep "0.$(printf %03d "$moment")"
	dies
	run_
	ok "killed after $moment ms: it succeeds" status_is "$id" succeeded
	ok '... each step ran once' runs_are
	case $name in
	there) name=back && wanted=$two ;;
	*) name=there && wanted=$one ;;
	esac
	ok '... the login has moved' login_is "$wanted"
done <"$work/moments"

# --- the old port is closed ---------------------------------------------------------

reset
go c
add h1 "$work/there.yaml"
run_bg
at c
dies
: >"$home/c.go"
sshd_stop "$work/sshd"
run_
ok 'nothing listens at the old port: the successor is tried' \
	status_is "$id" succeeded
ok '... and is the login' login_is "$two"
sshd_again
cp "$home/key" "$work/sshd/authorized_keys"

# The step writes the list that sshd_again does not use.
sshd_stop "$work/sshd"
SSHD_PORT=$port
sshd_start "$work/sshd"
unset SSHD_PORT

# --- what is no refusal ----------------------------------------------------------------

reset
go c
add h1 "$work/there.yaml"
run_bg
at c
dies
before=$(logins -two)
kill -STOP "$(sshd_pid "$work/sshd")"
TOWERIFY_LINK_TIMEOUT_MS=700
export TOWERIFY_LINK_TIMEOUT_MS
run_bg
until_ eval 'test "$(towerify-host show -J h1 | jq .last_error)" != null'
kill -TERM "$runner"
run_ends
ok 'no answer is no refusal: the successor is left alone' \
	test "$(logins -two)" -eq "$before"
ok '... the change runs on' status_is "$id" running
ok '... nothing is held' host_is h1 running
unset TOWERIFY_LINK_TIMEOUT_MS
kill -CONT "$(sshd_pid "$work/sshd")"
: >"$home/c.go"
hurry
run_
ok '... until the host answers' status_is "$id" succeeded

# --- another host key -----------------------------------------------------------------

reset
go c
add h1 "$work/alien.yaml"
run_bg
at c
dies
before=$(grep -c publickey "$work/sshd-three/sshd.log" || :)
run_
ok 'another host key at the successor'\''s port: held' host_is h1 held \
	'login as * refused*; the successor login: HOST KEY HAS CHANGED*'
ok '... no login was tried there' test \
	"$(grep -c publickey "$work/sshd-three/sshd.log" || :)" -eq "$before"
ok '... the login stays' login_is "$one"
keys one yes
: >"$home/c.go"
towerify-host -q release h1
run_
ok '... until a person has seen to it' status_is "$id" succeeded
ok '... who says so, it is the login' login_is "$three"

# --- refused as well ---------------------------------------------------------------------

reset
go c
add h1 "$work/there.yaml"
run_bg
at c
dies
keys -two no
before=$(logins -two)
run_bg
until_ eval 'hurry; host_is h1 held'
run_ends
ok 'the successor is refused too: held' host_is h1 held \
	'login as * refused*; the successor login: login as * refused*'
ok '... not at once: it may not be ready yet' test \
	"$(($(logins -two) - before))" -eq 4
ok '... the change runs on' status_is "$id" running
ok '... loudly' grep -q 'h1.*successor login.*refused' "$work/err"
: >"$home/c.go"
keys -two yes
towerify-host -q release h1
run_
ok '... until a person has seen to it' status_is "$id" succeeded
ok '... each step ran once' runs_are

# --- other ends -----------------------------------------------------------------------------

# It fails, with the new login in use or not, and all of it is undone.
for moment in '' c; do
	reset
	go "${moment:-x}"
	: >"$home/fails"
	add h1 "$work/there.yaml"
	run_bg
	if [ -n "$moment" ]; then
		at c
		dies
		run_bg
		until_ taken_over
		: >"$home/c.go"
	fi
	run_ends
	ok "rolled back${moment:+, by the successor}" status_is "$id" rolled-back
	ok '... the login is as it was' login_is "$one"
	ok '... and nothing says otherwise' test \
		"$(records host.login "$id")" -eq 0
done
add h1 "$work/back.yaml" --after-failure hold
quietly towerify-queue cancel "$id"

sed 's/undo: .*keys" one yes.*/undo: impossible/' "$work/there.yaml" \
	>"$work/bad.yaml"
reset
go c
: >"$home/fails"
add h1 "$work/bad.yaml"
run_bg
at c
dies
run_bg
until_ taken_over
: >"$home/c.go"
run_ends
ok 'failed after it had to be tried: held' host_is h1 held
ok '... and the login all the same, as the old one is closed' login_is "$two"
ok '... says the audit trail' test "$(records host.login "$id")" -eq 1

# --- filing -------------------------------------------------------------------------------------

reset
keys -two yes
for user in root towerify-nobody; do
	[ "$user" != "$me" ] || continue
	change other <<END
successor: {user: $user}
steps: [{run: 'true', undo: nothing}]
END
	try towerify-queue add h1 "$work/other.yaml"
	like "as $user it would be another user there: not filed" 1 '' \
		"*h1: its successor login $user would not be *"
done

# What is left on the host can be fetched by the next one.
add h1 "$work/back.yaml"
quietly towerify-queue cancel "$id"
leave
