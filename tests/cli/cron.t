#!/bin/sh
# cron.t - towerify-run --cron: silent when well, each problem said once
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

run=towerify-run
said=$TOWERIFY_STATE/cron.said
# pass: as cron starts it
pass_() {
	try env -i PATH=/usr/bin:/bin HOME="$HOME" LOGNAME="$me" \
		SHELL=/bin/sh TOWERIFY_STATE="$TOWERIFY_STATE" "$@" \
		"$(command -v $run)" --cron
}
no_note() {
	[ ! -e "$said" ]
}

# --- before there is a tower ---

pass_
is 'no state yet: nothing is due' 0 '' ''
mkdir -m 700 "$TOWERIFY_STATE"
pass_
is '... in a directory that waits for one' 0 '' ''
ok '... which stays empty' rmdir "$TOWERIFY_STATE"

# --- what happens is said as it happens ---

tower_sshd
tower_hosts 2
cat >"$work/good.yaml" <<'END'
towerify: 1
steps:
  - {name: one, run: echo one, undo: nothing}
END
sed 's/echo one/exit 7/' "$work/good.yaml" >"$work/fail.yaml"
sed 's/nothing/impossible/' "$work/fail.yaml" >"$work/worse.yaml"

pass_
is 'nothing is due: silence' 0 '' ''
quietly towerify-queue add h1 "$work/good.yaml"
pass_
is 'a change that succeeds: silence' 0 '' ''
quietly towerify-queue add h1 "$work/fail.yaml"
pass_
like 'one that is rolled back is said' 3 '' '*h1*rolled back*'
pass_
is '... once' 0 '' ''
quietly towerify-queue add h2 "$work/worse.yaml"
pass_
like 'a host that is held is said' 4 '' '*h2*is held*'
pass_
is '... once' 0 '' ''
quietly towerify-host release h2
quietly towerify-queue add h2 "$work/worse.yaml"
pass_
like '... and again when it is held again' 4 '' '*h2*is held*'
on_terminal '' "env TERM=xterm $run --cron"
ok "on a terminal it is silent as well" test -z "$(tr -d "\n" <"$work/screen")"
ok 'nothing of that needs a note' no_note

# --- what keeps the pass from its work is said once ---

chmod 755 "$TOWERIFY_STATE/state.db"
pass_
like 'a state that is open to others: said' 78 '' \
	'towerify-run: *state.db: is open to others*'
ok '... and noted' test -s "$said"
ok '... for its owner alone' test "$(stat -c %a "$said")" = 600
pass_
is '... once' 78 '' ''
mv "$TOWERIFY_STATE/state.db" "$work/kept"
ln -s "$work/kept" "$TOWERIFY_STATE/state.db"
pass_
like 'another error: said' 78 '' '*state.db: is a symbolic link*'
pass_
is '... once' 78 '' ''
rm "$TOWERIFY_STATE/state.db"
pass_
like 'a state that is gone is no new tower: said' 78 '' '*no state here yet*'
pass_
is '... once' 78 '' ''
mv "$work/kept" "$TOWERIFY_STATE/state.db"
chmod 600 "$TOWERIFY_STATE/state.db"
pass_
is 'all is well again' 0 '' ''
ok '... and the note goes' no_note
chmod 644 "$TOWERIFY_STATE/state.db"
pass_
like 'what comes back is said again' 78 '' '*is open to others*'
chmod 600 "$TOWERIFY_STATE/state.db"
pass_
is '... and is over again' 0 '' ''

# Somebody else has the lock that a pass takes, and does not move.
perl -MFcntl=:DEFAULT -e '
	open my $f, "+<", $ARGV[0] or die;
	my $l = pack "s s x4 q q i x4", F_WRLCK, 0, 0, 1, 0;
	fcntl $f, 37, $l or die "$!";	# F_OFD_SETLK
	open my $g, ">", $ARGV[1]; close $g;
	sleep 60' "$TOWERIFY_STATE/run.lock" "$work/locked" &
holder=$!
until_ test -e "$work/locked"
touch -d '-3 minutes' "$TOWERIFY_STATE/run.lock"
pass_
is 'a pass that does not move, met once: may pass' 75 '' ''
touch -d '-4 minutes' "$TOWERIFY_STATE/run.lock"
pass_
like '... twice: said' 75 '' '*has not moved for 2?? s'
touch -d '-5 minutes' "$TOWERIFY_STATE/run.lock"
pass_
is '... once, however long it takes' 75 '' ''
touch "$TOWERIFY_STATE/run.lock"
pass_
is 'it moves again: well' 0 '' ''
kill "$holder"
wait "$holder" 2>/dev/null || :
ok '... and nothing is noted' no_note

# --- where the note is, when it can't be there ---

mkdir -m 700 "$work/run"
mv "$TOWERIFY_STATE" "$work/away"
ln -s "$work/away" "$TOWERIFY_STATE"
pass_ XDG_RUNTIME_DIR="$work/run"
like 'a state directory that is none: said' 78 '' '*is a symbolic link*'
ok '... noted at run time' test -s "$work/run/cron.said"
pass_ XDG_RUNTIME_DIR="$work/run"
is '... once' 78 '' ''
pass_ XDG_RUNTIME_DIR="$work/none"
like 'where nothing can be noted it is said each time' 78 '' '*symbolic link*'
rm "$TOWERIFY_STATE"
mv "$work/away" "$TOWERIFY_STATE"
pass_ XDG_RUNTIME_DIR="$work/run"
is 'all is well again' 0 '' ''
ok '... and that note goes as well' test ! -e "$work/run/cron.said"
echo '!no such thing' >"$said"
ok 'a backup is made' towerify-op -q backup "$work/backup"
ok '... without the note' test "$(sqlite3 "$work/backup" \
	"SELECT count(*) FROM kept WHERE name = 'cron.said'")" = 0

# --- a broken configuration ---

printf 'jobs: many\nmial: nobody\n' >"$work/towerify.yaml"
pass_ TOWERIFY_CONFIG="$work/towerify.yaml"
like 'a broken configuration is said in a line' 78 '' \
	"towerify-run: $work/towerify.yaml:1:7: *
hint: towerify-op config *"
pass_ TOWERIFY_CONFIG="$work/towerify.yaml"
is '... once' 78 '' ''
pass_
is '... and mended' 0 '' ''

# --- the command line ---

for other in --watch --status --hosts=h1 --within=5m; do
	try $run --cron "$other"
	is "--cron and $other" 2 '' \
		"towerify-run: --cron and ${other%%=*} don't go together"
done
try $run --cron --jobs x
like 'a bad number is an error as any other' 2 '' '*jobs*'
try env TOWERIFY_OPERATOR="$me" $run --cron
is 'behind a gate: refused' 77 '' \
	"towerify-run: --cron can't be used behind a gate"
try $run --jobs x
like '... and without --cron each time' 2 '' '*jobs*'
finish
