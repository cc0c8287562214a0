# lib.sh - what the tests of this folder share; sourced
# shellcheck shell=sh
# shellcheck source=tests/e2e/lib.sh
#
# On top of tests/e2e/lib.sh:
#
#   sample SHORT LONG  one of them: TOWERIFY_WIRE_LONG, which make
#                      check-long-wire sets, chooses
#   two_changes        $work/good.yaml and $work/bad.yaml: three steps that
#                      succeed; three of which the last fails, and is undone
#   proxy_start NAME [ROOM]   a proxy (proxy.c) before the sshd: its port is
#                      $proxy, its directory $work/proxy-NAME
#   proxy_plan NAME LINE…   for its next connections
#   holes_close        what proxies have swallowed, the host sees closed
#   comes_home HOST FILE    files $work/FILE.yaml there, and runs passes, none
#                      of which may hang, until it has ended: is all as it is
#                      where nothing is cut?
#
# Random choices are those of $seed: the same each time, unless TOWERIFY_SEED
# says otherwise or a long run draws one.

. "$top/tests/e2e/lib.sh"

build=${abs_top_builddir:-$top}
for program in "$build/tests/wire/cut" "$build/tests/wire/proxy"; do
	[ -x "$program" ] || {
		echo "1..0 # SKIP $program is not built"
		exit 0
	}
done
[ -n "${TOWERIFY_SEED-}${TOWERIFY_WIRE_LONG-}" ] || seed=1
echo "# seed $seed"

sample() {
	case ${TOWERIFY_WIRE_LONG-} in
	'') echo "$1" ;;
	*) echo "$2" ;;
	esac
}

two_changes() {
	mkdir -p "$work/traces"
	: >"$work/traces/log"
	change good <<EOF
params:
  word: {type: string, default: plain}
steps:
  - name: one
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 1" >>$work/traces/log
      echo "one: \$word"
    undo: nothing
  - name: two
    check: grep -qsx "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 2" $work/traces/log
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 2" >>$work/traces/log
      echo "two: \$word"
    undo: nothing
  - name: three
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 3" >>$work/traces/log
      printf three
    undo: nothing
EOF
	change bad <<EOF
steps:
  - name: one
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 1" >>$work/traces/log
      echo one
    undo: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 6 undo" >>$work/traces/log
      echo back one
  - name: two
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 2" >>$work/traces/log
    undo: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 5 undo" >>$work/traces/log
      printf 'back two'
  - name: three
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 3" >>$work/traces/log
      echo three
      false
    undo: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 4 undo" >>$work/traces/log
      echo back three
EOF
}

proxies=
proxy_start() {
	mkdir -p "$work/proxy-$1"
	# shellcheck disable=SC2086 # none or one
	"$build/tests/wire/proxy" "$work/proxy-$1" "$port" ${2-} &
	proxies="$proxies $!"
	until_ test -s "$work/proxy-$1/port"
	# shellcheck disable=SC2034 # for the script
	proxy=$(cat "$work/proxy-$1/port")
}

proxy_plan() {
	proxy_dir=$work/proxy-$1
	shift
	printf '%s\n' "$@" >"$proxy_dir/plan.new"
	mv "$proxy_dir/plan.new" "$proxy_dir/plan"
}

holes_close() {
	for proxy_pid in $proxies; do
		kill -USR1 "$proxy_pid"
	done
}

# A pass waits for a host that vanished in mid-change.
pass_ends() {
	# shellcheck disable=SC2119 # optional arguments
	run_bg
	pass_tries=0
	until ended "$runner"; do
		pass_tries=$((pass_tries + 1))
		if [ "$pass_tries" -gt "$(sample 400 3000)" ]; then
			echo 'a pass hangs'
			kill -KILL "$runner"
			wait "$runner" || :
			return 1
		fi
		hurry
		sleep 0.2
	done
	wait "$runner" || :
}

comes_home() {
	: >"$work/traces/log"
	add "$1" "$work/$2.yaml"
	home_passes=0
	while
		hurry
		pass_ends || return 1
		case $(status_of "$id") in
		queued | running) ;;
		*) false ;;
		esac
	do
		home_passes=$((home_passes + 1))
		[ "$home_passes" -lt 40 ] || break
	done
	is_home "$1" "$2"
}

# Is change $id of $work/$2.yaml, on host $1, as it should be?
is_home() {
	case $2 in
	good)
		home_status=succeeded
		home_lines='1 2 3'
		printf 'one: plain\ntwo: plain\nthree' >"$work/wanted"
		;;
	*)
		home_status=rolled-back
		home_lines='1 2 3 4:undo 5:undo 6:undo'
		printf 'one\nthree\nback three\nback twoback one\n' \
			>"$work/wanted"
		;;
	esac
	status_is "$id" "$home_status" || return 1
	for line in $home_lines; do
		echo "$1 $id $line" | tr : ' '
	done >"$work/wanted.log"
	diff "$work/wanted.log" "$work/traces/log" || return 1
	towerify-queue log -J "$id" | jq -j .data | cmp - "$work/wanted"
}

proxies_stop() {
	for proxy_pid in $proxies; do
		kill "$proxy_pid" 2>/dev/null || :
		wait "$proxy_pid" 2>/dev/null || :
	done
	proxies=
}

wire_clean() {
	proxies_stop
	others_clean
}
trap wire_clean EXIT
