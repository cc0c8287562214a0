#!/bin/sh
# bench.sh - the project's figures, measured: `make bench`
#
# Prints a line a figure: what, measured, limit, verdict; exits 1 when one is
# missed.  Peers run in the same run, on the same hosts, as ratios.  Nothing of
# this is a test: a busy machine gives other times.
#
# Figures across a network with a delay need root (network namespaces); they
# are skipped aloud without it.  Environment: the tools in PATH, BENCH_TOOLS
# the directory of rights, stopwatch and wire.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/sshd.sh"

tools=${BENCH_TOOLS:?the directory of rights, stopwatch and wire}
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-bench.XXXXXX")
missed=0
wire_pid=''
TOWERIFY_STATE=$work/state
export TOWERIFY_STATE

clean() {
	[ -z "$wire_pid" ] || kill "$wire_pid" 2>/dev/null || :
	sshd_stop "$work/far" >/dev/null 2>&1 || :
	sshd_clean "$work/near" >/dev/null 2>&1 || :
	ip netns del tw-bench-a 2>/dev/null || :
	ip netns del tw-bench-b 2>/dev/null || :
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# figure WHAT MEASURED LIMIT UNIT: smaller is better
figure() {
	verdict=ok
	awk -v a="$2" -v b="$3" 'BEGIN { exit !(a <= b) }' || {
		verdict=MISSED
		missed=1
	}
	printf '%-52s %9s  at most %9s %-3s %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
note() { printf '%-52s %9s %s\n' "$1" "$2" "$3"; }
calc() { awk "BEGIN { printf \"%.2f\", $* }"; }
# one STATS FIELD
field() { echo "$1" | cut -d ' ' -f "$2"; }

add_hosts() { # N PORT PREFIX ADDRESS-PREFIX KEYDIR
	i=1
	while [ "$i" -le "$1" ]; do
		towerify-host -q add "$3$i" "$(id -un)@$4$i:$2" \
			--host-key "$(ssh-keygen -lf "$5/host_ed25519.pub" |
			cut -d ' ' -f 2)" --spool "$work/spool.$3$i"
		i=$((i + 1))
	done
}

steps() { # N COMMAND
	echo 'towerify: 1'
	echo 'steps:'
	i=0
	while [ "$i" -lt "$1" ]; do
		echo "  - run: $2"
		echo "    undo: nothing"
		i=$((i + 1))
	done
}
steps 1 true >"$work/one.yaml"
steps 5 true >"$work/five.yaml"
steps 10 true >"$work/ten.yaml"
steps 1 'sleep 5' >"$work/sleep.yaml"

# Median wall time of a pass over one filed change, in ms.
pass_ms() { # FILE TARGETS RUNS
	n=0
	: >"$work/times"
	while [ "$n" -lt "$3" ]; do
		towerify-queue add -q "$2" "$1" >/dev/null
		"$tools/stopwatch" 1 towerify-run >>"$work/times" 2>&1
		n=$((n + 1))
	done
	sort -n "$work/times" | sed -n "$(($3 / 2 + 1))p" | cut -d ' ' -f 1
}

sshd_start "$work/near" 100
towerify-host key >/dev/null
towerify-host key >>"$work/near/authorized_keys"
port=$(cat "$work/near/port")

add_hosts 3 "$port" web 127.0.0. "$work/near"
towerify-run

stats=$("$tools/stopwatch" 21 towerify-run)
figure 'a pass with nothing to do' "$(field "$stats" 1)" 10 ms
stats=$("$tools/stopwatch" 21 towerify-queue add web1 "$work/one.yaml")
figure 'towerify-queue add' "$(field "$stats" 1)" 15 ms
stats=$("$tools/stopwatch" 21 towerify-queue list)
note 'towerify-queue list' "$(field "$stats" 1)" ms
stats=$("$tools/stopwatch" 21 towerify-queue --version)
note 'towerify-queue --version' "$(field "$stats" 1)" ms
towerify-run

# --- a tower that many share ----------------------------------------------------

TOWERIFY_STATE=$work/shared
towerify-op -q org add red
towerify-op -q org add blue
"$tools/rights" grants "$work/shared" red 10000
figure 'permission check, 10,000 grants of 101 operators' \
	"$("$tools/rights" check "$work/shared" red other7 node15)" 1 ms
figure 'the same of an operator who has 5,000' \
	"$("$tools/rights" check "$work/shared" red many node9998)" 1 ms
"$tools/rights" changes "$work/shared" blue 1000
cp -R "$work/shared" "$work/alone"
"$tools/rights" changes "$work/shared" red 100000
# by turns, so that both meet the same machine
n=0
: >"$work/alone.times"
: >"$work/shared.times"
while [ "$n" -lt 21 ]; do
	for state in alone shared; do
		TOWERIFY_STATE=$work/$state "$tools/stopwatch" 1 \
			towerify-queue --org blue list >>"$work/$state.times"
	done
	n=$((n + 1))
done
# median FILE
median() { cut -d ' ' -f 1 "$1" | sort -n | sed -n 11p; }
alone=$(median "$work/alone.times")
shared=$(median "$work/shared.times")
note 'queue list, 1,000 changes' "$alone" ms
note 'the same beside 100,000 of another organisation' "$shared" ms
# a tenth more is what two such runs differ by
figure 'ratio' "$(calc "$shared / $alone")" 1.10 ''
TOWERIFY_STATE=$work/state

# --- the catalogue of 706 apps ----------------------------------------------------

TOWERIFY_STATE=$work/catalogue
awk 'BEGIN {
	for (i = 1; i <= 706; i++)
		printf "[app%d]\nurl = \"https://example.org/app%d_ynh\"\n" \
		    "state = \"working\"\nlevel = %d\ncategory = \"c%d\"\n" \
		    "branch = \"master\"\nsubtags = [ \"a\", \"b\" ]\n" \
		    "potential_alternative_to = [ \"x\" ]\n\n", \
		    i, i, i % 9, i % 20
}' >"$work/apps.toml"
# the first makes the state and fills it; then the same with all of it changed
sed 's/working/notworking/' "$work/apps.toml" >"$work/other.toml"
towerify-host -q key >/dev/null
stats=$("$tools/stopwatch" 1 towerify-app -q import "$work/apps.toml")
figure 'import of a catalogue of 706 apps' "$(field "$stats" 1)" 1000 ms
stats=$("$tools/stopwatch" 1 towerify-app -q import "$work/other.toml")
figure 'the same with every app changed' "$(field "$stats" 1)" 1000 ms
stats=$("$tools/stopwatch" 21 towerify-app list)
figure 'towerify-app list of it' "$(field "$stats" 1)" 50 ms
TOWERIFY_STATE=$work/state

# --- loopback, one host -------------------------------------------------------

one=$(pass_ms "$work/one.yaml" web2 5)
ten=$(pass_ms "$work/ten.yaml" web2 5)
note 'loopback, one step' "$one" ms
note 'loopback, ten steps' "$ten" ms

# --- many hosts ------------------------------------------------------------------

add_hosts 100 "$port" node 127.0.0. "$work/near"
five=$(pass_ms "$work/five.yaml" 'node[1-50]' 3)
note '50 hosts x 5 steps, loopback' "$five" ms
peer=$("$tools/stopwatch" 1 sh -c "
	i=1
	while [ \$i -le 50 ]; do
		(for k in 1 2 3 4 5; do
			'$work/near/bin/ssh' -n -p $port -o BatchMode=yes \
				-i '$work/near/id_ed25519' 127.0.0.\$i true
		done) &
		i=\$((i + 1))
	done
	wait")
note 'same by plain ssh, a login a step' "$(field "$peer" 1)" ms
note 'ratio' "$(calc "$five / $(field "$peer" 1)")" ''

towerify-queue add -q 'node[1-100]' "$work/sleep.yaml" >/dev/null
stats=$("$tools/stopwatch" 1 towerify-run)
figure 'client memory, 100 running hosts' "$(field "$stats" 3)" \
	$((20 * 1024 + 300 * 100)) KiB

# --- a network with 100 ms of round trip ----------------------------------------

if [ "$(id -u)" -ne 0 ] || ! ip netns add tw-bench-a 2>/dev/null; then
	echo 'skipped: figures at 100 ms need root and network namespaces'
	exit "$missed"
fi
ip netns add tw-bench-b
"$tools/wire" tw-bench-a tw-bench-b 50 900 >"$work/wire" 2>&1 &
wire_pid=$!
until grep -q ready "$work/wire"; do
	kill -0 "$wire_pid"
	sleep 0.05
done
for ns in a b; do
	ip -n tw-bench-$ns link set lo up
	ip -n tw-bench-$ns link set wire up
done
# 198.18/15 is set aside for benchmarks (RFC 2544); it exists in here alone
ip -n tw-bench-a addr add 198.18.0.1/30 dev wire
ip -n tw-bench-b addr add 198.18.0.2/30 dev wire
mkdir "$work/far"
cp -R "$work/near/." "$work/far/"
rm -f "$work/far/sshd.pid"
sed -e "s|$work/near|$work/far|g" -e 's/^ListenAddress .*//' \
	-e 's/^AllowUsers .*//' "$work/near/sshd_config" >"$work/far/sshd_config"
ip netns exec tw-bench-b "$(command -v sshd || echo /usr/sbin/sshd)" \
	-f "$work/far/sshd_config" -E "$work/far/sshd.log"

far() { ip netns exec tw-bench-a "$@"; }
far towerify-host -q add far "$(id -un)@198.18.0.2:$port" --accept-host-key \
	--spool "$work/spool.far"
far_ms() { # FILE RUNS
	n=0
	: >"$work/times"
	while [ "$n" -lt "$2" ]; do
		towerify-queue add -q far "$1" >/dev/null
		"$tools/stopwatch" 1 ip netns exec tw-bench-a towerify-run \
			>>"$work/times"
		n=$((n + 1))
	done
	sort -n "$work/times" | sed -n "$(($2 / 2 + 1))p" | cut -d ' ' -f 1
}
one=$(far_ms "$work/one.yaml" 5)
ten=$(far_ms "$work/ten.yaml" 5)
note '100 ms round trip, one step' "$one" ms
note '100 ms round trip, ten steps' "$ten" ms
figure 'ten steps / one step, at 100 ms' "$(calc "$ten / $one")" 1.15 ''
peer=$("$tools/stopwatch" 3 ip netns exec tw-bench-a sh -c "
	for k in 1 2 3 4 5 6 7 8 9 10; do
		ssh -n -F /dev/null -p $port -i '$work/near/id_ed25519' \
			-o BatchMode=yes -o StrictHostKeyChecking=no \
			-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
			198.18.0.2 true
	done")
note 'ten steps by plain ssh, a login a step' "$(field "$peer" 1)" ms
note 'ratio' "$(calc "$ten / $(field "$peer" 1)")" ''
exit "$missed"
