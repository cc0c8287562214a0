#!/bin/sh
# hooks.t - programs are told of events: each at least once, whatever they do
# the host's and jq's variables: shellcheck disable=SC2016
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2
hooks=$work/etc/hooks.d
told=$work/told
mkdir -p "$hooks"
TOWERIFY_CONFIG=$work/etc/towerify.yaml
echo 'hook-timeout: 2s' >"$TOWERIFY_CONFIG"

change good <<'END_'
steps:
  - name: good
    run: echo well
    undo: nothing
END_
change bad <<'END_'
steps:
  - name: bad
    run: |
      printf 'one\ntwo \033[31m\n'
      exit 3
    undo: nothing
END_
change stuck <<'END_'
steps:
  - name: stuck
    run: |
      echo "it broke"
      exit 4
    undo: 'false'
END_

hook() {	# hook NAME: from stdin
	{
		echo '#!/bin/sh'
		cat
	} >"$hooks/$1"
	chmod 755 "$hooks/$1"
}
events() {	# "WORD HOST" of those in the file, sorted
	jq -r '"\(.event) \(.host)"' "$1" 2>/dev/null | sort | tr '\n' ';'
}
told_are() {
	have=$(events "$1")
	[ "$have" = "$2" ] || { echo "have: $have"; cat "$1"; return 1; }
}
none_left() {
	[ "$(sql 'SELECT count(*) FROM event')" = 0 ]
}

# --- none --------------------------------------------------------------------

add h1 "$work/good.yaml"
run_
is 'without hooks nothing is said' 0 '' ''
ok '... and nothing is kept' none_left

# --- told --------------------------------------------------------------------

hook 10-all <<END
cat >>'$told'
env | grep '^TOWERIFY_SUBJECT' >>'$work/subjects'
ls -l /proc/self/fd >'$work/fds'
pwd >'$work/where'
END
hook 20-again <<END
cat >>'$work/again'
END
cp "$hooks/20-again" "$hooks/no.hook"
echo 'exit 1' >"$hooks/no-hook"
add 'h[1-2]' "$work/good.yaml"
run_
is 'with hooks, neither' 0 '' ''
add h1 "$work/bad.yaml"
run_
ok 'succeeded and rolled-back are told' told_are "$told" \
	'rolled-back h1;succeeded h1;succeeded h2;'
ok '... to each hook' told_are "$work/again" "$(events "$told")"
ok '... and nothing is left' none_left
tail -n 1 "$told" >"$work/out"
json 'the change, the step and its last lines are in it' '.schema == 1 and
	.change.id == 4 and .change.status == "rolled-back" and
	.change.operator != null and .org == "default" and
	.step.k == 1 and .step.code == 3 and .held == null and
	.step.output == ["one", "two \\x1b[31m"] and
	.id == (.id | split(".")[0]) + ".rolled-back"'
ok 'a word for people' grep -qx \
	'TOWERIFY_SUBJECT=h1: change 4 was rolled back' "$work/subjects"
ok 'it has three descriptors, and no others' test \
	"$(grep -c ' -> ' "$work/fds")" = 4
ok 'it is run in /' test "$(cat "$work/where")" = /

: >"$told"
add h2 "$work/stuck.yaml"
run_
ok 'what failed is told, with why its host is held' sh -c \
	'jq -es "length == 1 and .[0].event == \"failed\" and
		.[0].held.by == \"tower\"" "$1"' - "$told"
key=$(sql "SELECT hostkey FROM host WHERE name = 'h1'")
sql "UPDATE host SET hostkey = 'ssh-ed25519 AAAA' WHERE name = 'h1'"
: >"$told"
add h1 "$work/good.yaml"
run_
ok 'a host that the tower holds is told' told_are "$told" 'held h1;'
sql "UPDATE host SET hostkey = '$key'"
towerify-host -q release h1
towerify-host -q release h2
rm -f "$hooks"/*

# --- hooks that misbehave -------------------------------------------------------

hook 10-fails <<'END'
echo 'no way'
exit 3
END
hook 20-noisy <<'END'
head -c 3000000 /dev/zero | tr '\0' x
END
hook 30-forks <<END
sleep 300 >/dev/null 2>&1 </dev/null &
echo \$! >'$work/forked'
sleep 301 &
exit 0
END
hook 40-deaf <<END
exec <&-
echo x >>'$work/deaf'
END
hook 50-open <<'END'
exit 0
END
chmod 777 "$hooks/50-open"
add h2 "$work/good.yaml"
run_
like 'a hook that fails is told of, the change is as it is' 0 '' \
	'*hook 50-open*others can write*hook 10-fails*exit status 3: no way*'
ok '... it has succeeded' status_is "$id" succeeded
ok '... it is in the audit' test "$(towerify-audit list -J --change "$id" |
	jq -r '.records[] | select(.action == "hook.fail") |
		.detail.hook + " " + .detail.why')" = \
	'10-fails exit status 3: no way'
ok 'a noisy one, and one that does not listen, are done' none_left
ok 'what one left running has ended' until_ ended "$(cat "$work/forked")"
rm -f "$hooks"/*

hook 10-hangs <<END
echo x >>'$work/hung'
sleep 300
END
hook 20-late <<END
echo x >>'$work/late'
exit 75
END
hook 30-well <<END
cat >>'$work/well'
END
add h2 "$work/good.yaml"
add h2 "$work/good.yaml"
run_
like 'one that hangs is ended' 0 '' '*10-hangs*took longer than 2 s*'
ok '... one that asks for it rests' lines 1 "$work/late"
ok '... as does the one that hung' lines 1 "$work/hung"
ok '... others have had all' lines 2 "$work/well"
ok '... two are kept' test "$(sql 'SELECT count(*) FROM event')" = 2
sql 'UPDATE delivery SET next = 1 WHERE next IS NOT NULL'
hook 10-hangs <<END
echo y >>'$work/hung'
END
hook 20-late <<END
echo y >>'$work/late'
END
run_
is 'a later pass tells them again' 0 '' ''
ok '... once each' test "$(cat "$work/hung" "$work/late" | tr -d '\n')" = \
	xyyxyy
ok '... and no other' lines 2 "$work/well"
ok '... nothing is left' none_left
hook 20-late <<'END'
exit 75
END
add h2 "$work/good.yaml"
run_
sql 'UPDATE event SET at = at - 86400000; UPDATE delivery SET next = 1
	WHERE next IS NOT NULL'
run_
like 'after a day it is given up' 0 '' '*hook 20-late*exit status 75*'
ok '... and is left' none_left
rm -f "$hooks"/*

# --- a pass that dies ----------------------------------------------------------

: >"$told"
hook 10-slow <<END
cat >>'$told'
until test -e '$work/go'; do sleep 0.05; done
END
hook 20-next <<END
cat >>'$work/next'
END
echo 'hook-timeout: 60s' >"$TOWERIFY_CONFIG"
add h2 "$work/good.yaml"
run_bg
ok 'a hook is under way' until_ test -s "$told"
ok '... and the change has ended' status_is "$id" succeeded
add h2 "$work/good.yaml"
ok '... others do not wait for it' until_ status_is "$id" succeeded
kill -KILL "$runner"
quietly wait "$runner"
: >"$work/go"
run_
is 'after a pass was killed, the next one tells it' 0 '' ''
ok '... again' test "$(jq -rs '[.[] | .id] | (length == 3 or length == 4) and
	(unique | length) == 2' "$told")" = true
ok '... and what had not begun, once' test \
	"$(jq -rs '[.[] | .id] | length == 2 and (unique | length) == 2' \
		"$work/next")" = true
ok '... and nothing is left' none_left

# --- those that come with it -----------------------------------------------------

mkdir "$work/mta"
cat >"$work/mta/sendmail" <<END
#!/bin/sh
printf '%s\n' "\$*" >'$work/mailed'
cat >>'$work/mailed'
exit "\$(cat '$work/mta/exit')"
END
chmod 755 "$work/mta/sendmail"
echo 0 >"$work/mta/exit"
mails() {	# mails WORD VARIABLES…
	rm -f "$work/mailed"
	word=$1
	shift
	try env "PATH=$work/mta:$PATH" "TOWERIFY_EVENT=$word" \
		'TOWERIFY_SUBJECT=h1: change 4 has failed' \
		'TOWERIFY_TEXT=a text' "$@" "$top/share/hooks/mail"
}
mails failed
is 'mail: without its key nothing is done' 0 '' ''
ok '... nothing' test ! -e "$work/mailed"
mails succeeded TOWERIFY_MAIL=root
ok '... nor when all is well' test ! -e "$work/mailed"
mails failed 'TOWERIFY_MAIL=root, a@example.org'
is 'mail: sent' 0 '' ''
ok '... to whom, and what' grep -q 'To: root, a@example.org' "$work/mailed"
ok '... by sendmail -t' test "$(head -n 1 "$work/mailed")" = '-t -i'
ok '... with its subject' grep -qx \
	'Subject: \[towerify\] h1: change 4 has failed' "$work/mailed"
ok '... and text' grep -qx 'a text' "$work/mailed"
echo 69 >"$work/mta/exit"
mails held TOWERIFY_MAIL=root
is 'mail: what was not taken is tried again' 75 '' ''

cp "$top/tests/lib/httpd" "$work/httpd"
mkdir -p "$work/http/www"
perl "$work/httpd" "$work/http" &
httpd=$!
until_ test -s "$work/http/port"
web=http://127.0.0.1:$(cat "$work/http/port")
echo ok >"$work/http/www/hook"
webhook=${abs_top_builddir:-$top}/bin/towerify-webhook
posts() {
	try env TOWERIFY_WEBHOOK="$1" "$webhook" <"$told"
}
posts ''
is 'webhook: without its key nothing is done' 0 '' ''
posts "$web/hook"
is 'webhook: posted' 0 '' ''
ok '... the event' grep -q '"schema":1' "$work/http/posted"
posts "$web/status/503"
is 'webhook: what a server can not take now comes again' 75 '' \
	'answered with status 503'
posts "$web/status/404"
is 'webhook: what it will not, does not' 1 '' 'answered with status 404'
posts "$web/to/$web/hook"
is 'webhook: a redirect is not followed' 1 '' 'answered with status 302'
kill "$httpd"
quietly wait "$httpd"
posts "$web/hook?token=x"
like 'webhook: nobody there' 75 '' 'cannot post: *[!x]'
leave
