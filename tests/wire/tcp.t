#!/bin/sh
# tcp.t - a real sshd behind a proxy that cuts, swallows and delays (proxy.c), by
# both transports: a change comes home whole, and no pass hangs
#
# TOWERIFY_WIRE_LONG: more of each, and one byte a second.
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/wire/lib.sh
. "$top/tests/wire/lib.sh"

tower_sshd
two_changes
proxy_start one
for transport in libssh2 ssh; do
	towerify-host -q add "$transport" "$me@127.0.0.1:$proxy" \
		--host-key "$fingerprint" --spool "$work/spool-$transport" \
		--transport "$transport"
done

# How many bytes a whole change takes, sshd's own included.
for transport in libssh2 ssh; do
	ok "$transport: a change by the proxy" comes_home "$transport" good
	until_ sh -c 'tail -n 1 "$1" | grep -q pass' sh "$work/proxy-one/log"
	read -r _ sent received _ <<-END
		$(tail -n 1 "$work/proxy-one/log")
	END
	echo "$sent $received" >"$work/bytes-$transport"
	echo "# $transport: $sent bytes sent, $received received"
done

# A connection that is shorter than that is left alone.
was_harmed() {	# was_harmed ACT LANE K
	passed=$(awk -v act="$1" -v lane="$2" '$4 == act {
		print $(lane == "sent" ? 2 : 3) }' "$work/proxy-one/log")
	case $passed in
	'') ;;
	"$3") harms=$((harms + 1)) ;;
	*)
		echo "$1 $2 after $passed bytes, wanted $3"
		return 1
		;;
	esac
}

# Each at COUNT places of both lanes, of a change that succeeds and of one that
# is undone in turn: $harms counts.
harm() {	# harm TRANSPORT ACT COUNT
	read -r sent received <"$work/bytes-$1"
	harm_file=good
	for lane in sent received; do
		case $lane in
		sent) limit=$sent ;;
		*) limit=$received ;;
		esac
		for k in $(random "$3" "$limit"); do
			rm -f "$work/proxy-one/log"
			proxy_plan one "$2 $lane $k"
			comes_home "$1" "$harm_file" || {
				echo "seed $seed: $1: $2 $lane $k $harm_file"
				return 1
			}
			was_harmed "$2" "$lane" "$k" || return 1
			case $harm_file in
			good) harm_file=bad ;;
			*) harm_file=good ;;
			esac
		done
	done
}

# Is what looks for faults able to find any?
echo "ssh $id 1" >>"$work/traces/log"
ok 'planted: a step that ran twice is found' eval '! is_home ssh good'
sed -i '$d' "$work/traces/log"
ok 'planted: another output is found' eval '! is_home ssh bad'
ok '... and without these nothing is' is_home ssh good
sql "UPDATE output SET data = CAST(data || 'x' AS BLOB)
	WHERE id = (SELECT max(id) FROM output)"
ok 'planted: a byte too many is found' eval '! is_home ssh good'

for act in cut reset; do
	for transport in libssh2 ssh; do
		harms=0
		ok "$transport: $act: the change comes home" \
			harm "$transport" "$act" "$(sample 2 60)"
		echo "# figures: $harms connections of sshd ($act)"
	done
done

# --- half-open: nothing comes any more, and nobody says so --------------------------

# Short limits may cut off what is only slow: it is tried again.
TOWERIFY_LINK_TIMEOUT_MS=2000
export TOWERIFY_LINK_TIMEOUT_MS
for transport in libssh2 ssh; do
	harms=0
	ok "$transport: half-open: no pass hangs, the change comes home" \
		harm "$transport" hole "$(sample 1 30)"
	echo "# figures: $harms connections of sshd (half-open)"
done
holes_close

# One that is silent from the first byte on: it is said so, the change waits.
silent() {
	: >"$work/traces/log"
	add "$1" "$work/good.yaml"
	proxy_plan one "$2"
	run_
	[ ! -s "$work/traces/log" ] || return 1
	case $(status_of "$id") in
	queued | running) ;;
	*) return 1 ;;
	esac
	towerify-host show -J "$1" | jq -re .last_error
}
says() {
	towerify-host show -J "$1" | jq -r .last_error | grep -q "$2"
}
TOWERIFY_LINK_TIMEOUT_MS=1000
ok 'libssh2: silent from the start: the pass ends' silent libssh2 \
	'hole received 0'
ok '... and says so' says libssh2 'no SSH handshake in time'
ok '... nothing else is to be done than that' sh -c 'towerify-queue why "$1" |
	grep -q "next attempt"' sh "$id"
ok 'ssh: silent from the start: the pass ends' silent ssh 'hole received 0'
ok '... and says so' says ssh 'no answer for\|timed out\|time'

# --- a trickle ----------------------------------------------------------------------

# A handshake of some 3,000 bytes at 20 ms each takes longer than its limit.
ok 'libssh2: a login byte by byte: it ends at the limit' silent libssh2 \
	'trickle received 0 100000 20'
ok '... and says so' says libssh2 'in time'
TOWERIFY_LINK_TIMEOUT_MS=3000
finishes() {	# the changes that these have left in the queue
	proxy_plan one pass
	for tries in 1 2 3 4 5 6 7 8; do
		hurry
		pass_ends
		[ -n "$(towerify-queue list -n --tsv -o id)" ] || return 0
	done
	echo "$tries passes are not enough"
	return 1
}
ok 'all of these come home, once the line is good' finishes
holes_close

# Each byte comes in time, what it takes of them to make a word does not: an
# answer as slow as that is heard to its end.
unset TOWERIFY_LINK_TIMEOUT_MS
trickled() {	# trickled TRANSPORT LANE COUNT MS
	read -r sent received <"$work/bytes-$1"
	case $2 in
	sent) k=$((sent - $3)) ;;
	*) k=$((received - $3)) ;;
	esac
	proxy_plan one "trickle $2 $k $3 $4"
	comes_home "$1" good || return 1
	[ ! -s "$work/proxy-one/plan" ] || {
		echo 'nothing has trickled'
		return 1
	}
}
for transport in libssh2 ssh; do
	ok "$transport: an answer that trickles in is heard" \
		trickled "$transport" received "$(sample 200 90)" \
		"$(sample 10 1000)"
	ok "$transport: a request that trickles out: the change comes home" \
		trickled "$transport" sent "$(sample 200 90)" \
		"$(sample 10 1000)"
done

# The tower sees how slowly a request leaves, though the host has nothing to say
# for longer than the limit: one connection is enough.
patient() {	# patient HOST: by one connection
	rm -f "$work/proxy-narrow/log"
	proxy_plan narrow "trickle sent $((sent - 20000)) 20000 10 24"
	comes_home "$1" good || return 1
	# one that was left is noted when all of it has trickled
	until_ grep -q '^1 ' "$work/proxy-narrow/log" || return 1
	lines 1 "$work/proxy-narrow/log" || {
		cat "$work/proxy-narrow/log"
		return 1
	}
}
one=$proxy
proxy_start narrow 2048
towerify-host -q set libssh2 "port=$proxy"
read -r sent _ <"$work/bytes-libssh2"
TOWERIFY_LINK_TIMEOUT_MS=5000
export TOWERIFY_LINK_TIMEOUT_MS
ok 'libssh2: a request that trickles out for longer than the limit: once' \
	patient libssh2
unset TOWERIFY_LINK_TIMEOUT_MS
towerify-host -q set libssh2 "port=$one"

# --- the start arrives twice -----------------------------------------------------------

# This ssh tells the host everything twice, at once, and keeps what it told.
real=$work/sshd/bin/ssh
mkdir "$work/twice" "$work/bin"
cat >"$work/bin/ssh" <<END
#!/bin/sh
case " \$* " in *' -G '*) exec "$real" "\$@" ;; esac
dir=\$(mktemp -d "$work/twice/XXXXXX")
mkfifo "\$dir/fifo"
for command; do :; done
printf '%s\n' "\$command" >"\$dir/command"
"$real" "\$@" <"\$dir/fifo" >"\$dir/out" 2>&1 &
tee "\$dir/fifo" "\$dir/in" | "$real" "\$@"
END
chmod 755 "$work/bin/ssh"
PATH=$work/bin:$PATH

doubled() {	# doubled COUNT
	doubled_file=good
	n=0
	while [ "$n" -lt "$1" ]; do
		n=$((n + 1))
		comes_home ssh "$doubled_file" || return 1
		case $doubled_file in
		good) doubled_file=bad ;;
		*) doubled_file=good ;;
		esac
	done
}
rounds=$(sample 4 60)
ok 'a start that arrives twice at once: each step runs once' \
	doubled "$rounds"
both() {
	grep -l '^@[0-9a-f]* hello ' "$work"/twice/*/out >"$work/both"
	[ "$(wc -l <"$work/both")" -ge $((rounds / 2)) ] || {
		cat "$work/both"
		return 1
	}
}
ok '... the host heard both' both
accepted() {	# how many of the copies were what the host took
	grep -l '^@[0-9a-f]* accepted' "$work"/twice/*/out | wc -l
}
echo "# the copy came first $(accepted) times"
echo "# figures: $rounds starts twice at once"

# And long after: acknowledged, with others after it.
late() {
	for dir in "$work"/twice/*; do
		grep -qa 'towerify1 start ' "$dir/in" || continue
		"$real" -i "$work/sshd/id_ed25519" -p "$port" "$me@127.0.0.1" \
			"$(cat "$dir/command")" <"$dir/in" \
			>"$work/late" 2>"$work/late.err" || :
		grep -q '^@[0-9a-f]* done \|refused stale' "$work/late" || {
			cat "$work/late" "$work/late.err"
			return 1
		}
		lates=$((lates + 1))
	done
	[ "$lates" -ge "$rounds" ] && lines 0 "$work/traces/log"
}
lates=0
towerify-host -q check ssh
: >"$work/traces/log"
ok 'a start that arrives again when all is over: nothing runs' late
echo "# figures: $lates starts again later"

# the spools are looked at without the proxy
sql "UPDATE host SET port = $port"
proxies_stop
leave
