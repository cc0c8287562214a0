#!/bin/sh
# start.t - filing a change starts a pass at once, where the configuration says
# so
# the host's and jq's variables: shellcheck disable=SC2016
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2
TOWERIFY_CONFIG=$work/towerify.yaml
echo 'start: yes' >"$TOWERIFY_CONFIG"

change blocks <<'END_'
steps:
  - name: blocks
    run: '"$HOME/block" "$TOWERIFY_HOST"'
    undo: nothing
END_
change note <<'END_'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END_

# The pass at work: who holds the lock.  Not below a shell of ours.
pass_pid() {
	for dir in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")" != \
			'towerify-run ' ] ||
			! grep -qzx "TOWERIFY_STATE=$TOWERIFY_STATE" \
				"$dir/environ" || echo "${dir#/proc/}"
	done
}
no_pass() {
	[ -z "$(pass_pid)" ]
}
# no file of ours, no pipe to who filed
is_detached() {
	pid=$(pass_pid)
	# shellcheck disable=SC2012 # names of ours
	[ "$(for fd in 0 1 2; do readlink "/proc/$pid/fd/$fd"; done | sort -u)" \
		= /dev/null ] &&
		! find "/proc/$pid/fd" -lname "$work/held*" | grep . &&
		[ "$(awk '{ print $6 }' "/proc/$pid/stat")" != \
			"$(awk '{ print $6 }' "/proc/$$/stat")" ] &&
		[ "$(awk '{ print $7 }' "/proc/$pid/stat")" = 0 ] &&
		[ "$(readlink "/proc/$pid/cwd")" = / ]
}

# whoever waits for the end of the output gets it at once
try sh -c 'towerify-queue add h1 "$1" 7>"$2" | cat' - "$work/blocks.yaml" \
	"$work/held"
is 'add prints the id and ends' 0 1 ''
ok '... and a pass runs it' until_ test -e "$home/h1.here"
ok '... which has nothing of who filed' is_detached

add h2 "$work/note.yaml"
ok 'a pass that is at work takes up what is filed' until_ status_is "$id" \
	succeeded
ok '... alone' test "$(pass_pid | wc -l)" = 1
: >"$home/h1.go"
ok '... and ends when all is done' until_ no_pass
ok '... well' status_is 1 succeeded

# Many at once: each is run, though passes begin and end all the time.
i=0
while [ "$i" -lt 6 ]; do
	add 'h[1-2]' "$work/note.yaml"
	i=$((i + 1))
done
none_waits() {
	[ -z "$(towerify-queue list -n --tsv -o id)" ]
}
ok 'nothing that is filed waits for the next minute' until_ none_waits
ok '... each ran once' lines 13 "$log"
until_ no_pass

# behind a gate, where the pass is the owner's all the same
towerify-op -q add bob
towerify-op -q grant bob view,change --on h1 >/dev/null
try env TOWERIFY_OPERATOR=bob towerify-queue add h1 - <"$work/note.yaml"
is 'behind a gate the file named by the caller does not count' 0 15 ''
ok '... so that it waits' status_is 15 queued
towerify-run

# not started, and not said
echo 'start: no' >"$TOWERIFY_CONFIG"
add h1 "$work/note.yaml"
ok 'by default it waits' status_is "$id" queued
echo 'start: yes' >"$TOWERIFY_CONFIG"
mkdir "$work/alone"
cp "$(command -v towerify-queue)" "$work/alone"
try "$work/alone/towerify-queue" add h1 "$work/note.yaml"
is 'where there is no towerify-run, it is filed all the same' 0 17 ''
try towerify-queue add h1 "$work/note.yaml" --wait
is '--wait waits for what was started' 0 18 ''
until_ no_pass
leave
