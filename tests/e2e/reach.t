#!/bin/sh
# reach.t - hosts that can't be reached delay nobody and lose nothing; a changed
# host key stops everything for that host, loudly
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2
other_sshd hole
other_host hole hole
other_sshd gone
other_host gone gone
hole=$(sshd_pid "$work/sshd-hole")
gone_port=$(cat "$work/sshd-gone/port")

change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END

# --- two dead hosts among live ones ------------------------------------------------

# A stopped sshd: the kernel takes the connection, nobody ever answers.
kill -STOP "$hole"
sshd_stop "$work/sshd-gone"
add 'hole,gone,h1,h2' "$work/note.yaml"
add 'hole,gone,h1,h2' "$work/note.yaml"
run_bg
ok 'live hosts are done' until_ sh -c \
	'[ "$(towerify-queue list --all -n -o status h1,h2 |
	grep -c succeeded)" -eq 4 ]'
ok '... while the one that never answers is waited for' kill -0 "$runner"
kill -TERM "$runner"
run_ends

hurry
TOWERIFY_LINK_TIMEOUT_MS=700
export TOWERIFY_LINK_TIMEOUT_MS
run_
ok 'unreachable hosts alone: the pass went well, for cron' test "$status" -eq 0
ok '... in silence' test ! -s "$work/err" -a ! -s "$work/out"
ok '... nothing is lost' test "$(towerify-queue list -n -o host,status \
	'hole,gone' | xargs)" = 'hole queued gone queued hole queued gone queued'
ok '... list says unreachable' test "$(towerify-host list -n -o status \
	'hole,gone' | sort -u)" = unreachable
ok 'why says: refused' sh -c 'towerify-queue why 2 | grep -q \
	"gone can.t be reached: .*port $1: Connection refused"' sh "$gone_port"
ok 'why says: no answer' sh -c 'towerify-queue why 1 | grep -q \
	"hole can.t be reached: .*; next attempt at"'
attempts=$(towerify-host show -J gone | jq .last_error_at)
run_
ok 'the next attempt has to wait' test "$status" -eq 0 -a \
	"$(towerify-host show -J gone | jq .last_error_at)" = "$attempts"

# --- --run from a terminal says so -----------------------------------------------------

hurry
on_terminal '' "towerify-queue add gone $work/note.yaml --run"
ok '--run from a terminal: 5, for it is filed' test "$status" -eq 5
ok '... and why' grep -q 'gone.*Connection refused' "$work/screen"
hurry
on_terminal '' 'towerify-run --hosts gone'
ok 'towerify-run from a terminal: 75' test "$status" -eq 75
try towerify-queue -q add hole "$work/note.yaml" --wait=1s
ok '--wait: still waiting' test "$status" -eq 5

# --- they come back --------------------------------------------------------------------

unset TOWERIFY_LINK_TIMEOUT_MS
kill -CONT "$hole"
towerify-host key >"$work/tower_key"
SSHD_EXTRA="AuthorizedKeysFile $work/tower_key"
SSHD_PORT=$gone_port
sshd_start "$work/sshd-gone"
unset SSHD_EXTRA SSHD_PORT
cp "$home/mark" "$work/sshd-gone/home"
cp "$home/mark" "$work/sshd-hole/home"
hurry
run_
ok 'they come back: all of it is done' test "$status" -eq 0 -a \
	-z "$(towerify-queue list -n -o id)"
ok '... in order, once, on the one' test \
	"$(cut -d ' ' -f 2 "$work/sshd-gone/home/log" | xargs)" = '2 6 9'
ok '... and the other' test \
	"$(cut -d ' ' -f 2 "$work/sshd-hole/home/log" | xargs)" = '1 5 10'
ok 'no error is left in the list' test "$(towerify-host list -n -o status |
	sort -u)" = ready

# --- another host key ---------------------------------------------------------------------

rm -f "$log"
other=$work/sshd-gone
sshd_stop "$other"
rm "$other/host_ed25519" "$other/host_ed25519.pub"
SSHD_EXTRA="AuthorizedKeysFile $work/tower_key"
SSHD_PORT=$gone_port
sshd_start "$other"
add 'gone,h1' "$work/note.yaml"
run_
ok 'a changed host key: held' host_is gone held '*HOST KEY HAS CHANGED*'
ok '... loudly' grep -q 'gone.*HOST KEY HAS CHANGED' "$work/err"
ok '... nothing was run there' test \
	"$(wc -l <"$other/home/log")" -eq 3
ok '... the others went on' status_is "$id" succeeded
ok '... the login was not even tried' test \
	"$(grep -c 'publickey' "$other/sshd.log")" -eq 0
run_
ok '... left alone from then on' test "$status" -eq 0 -a ! -s "$work/err"
towerify-host -q release gone
run_
ok 'a release alone does not do' host_is gone held '*HOST KEY HAS CHANGED*'
try towerify-host set gone host-key=accept
ok 'host-key=accept' test "$status" -eq 0
ok '... says which it is' grep -qF "$(ssh-keygen -lf \
	"$other/host_ed25519.pub" | cut -d ' ' -f 2)" "$work/out" "$work/err"
quietly towerify-host -q release gone
run_
ok '... it goes on' test -z "$(towerify-queue list -n -o id)"

# --- the login is refused -------------------------------------------------------------------

: >"$work/tower_key"
add gone "$work/note.yaml"
run_
ok 'a refused login: held, so that the tower is not banned' host_is gone held \
	'*login*refused*'
ok '... loudly' grep -q 'gone.*refused' "$work/err"
towerify-host key >"$work/tower_key"
towerify-host -q release gone
run_
ok '... until a person has seen to it' status_is "$id" succeeded

leave
