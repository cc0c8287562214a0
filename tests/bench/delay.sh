# shellcheck shell=sh
# delay.sh - hosts behind a wire with a delay; after hosts.sh, as root
#
# The tower and its peers reach them by `reach' (hosts.sh) alone.  Two network
# namespaces are joined by a tun device each, between which wire holds every
# packet.  TCP is end to end: its slow start and its delayed acknowledgements are
# real, and kernels have it that have no netem.
#
#	delay_can	is it possible here?  If so, the first namespace is there
#	delay_up MS	then: round trip of MS; hosts 198.18.0.1 and on, an sshd
#			of their own
#	delay_down
#
# 198.18/15 is set aside for benchmarks (RFC 2544); it exists in there alone.

# shellcheck disable=SC2154 # here, work, near, tools: of lib.sh and hosts.sh
near_ns=tw-bench-$$-a
far_ns=tw-bench-$$-b
wire_pid=

reach() { ip netns exec "$near_ns" "$@"; }

delay_down() {
	[ -z "$wire_pid" ] || kill "$wire_pid" 2>/dev/null || :
	sshd_clean "$work/far" >/dev/null 2>&1 || :
	ip netns del "$near_ns" 2>/dev/null || :
	ip netns del "$far_ns" 2>/dev/null || :
}

delay_wire() { # MS
	"$tools/wire" "$near_ns" "$far_ns" "$(($1 / 2))" 3600 >"$work/wire" \
		2>&1 &
	wire_pid=$!
	until grep -q ready "$work/wire"; do
		kill -0 "$wire_pid" || {
			cat "$work/wire" >&2
			return 1
		}
		sleep 0.05
	done
	for ns in "$near_ns" "$far_ns"; do
		ip -n "$ns" link set lo up
		ip -n "$ns" link set wire up
	done
	ip -n "$near_ns" addr add 198.18.1.1/32 dev wire
	ip -n "$near_ns" route add 198.18.0.0/24 dev wire src 198.18.1.1
	ip -n "$far_ns" route add local 198.18.0.0/24 dev lo
	ip -n "$far_ns" route add 198.18.1.1/32 dev wire
}

delay_can() { [ "$(id -u)" = 0 ] && ip netns add "$near_ns" 2>/dev/null; }

# Not within a condition: what fails is to end the part.
delay_up() {
	trap 'delay_down; hosts_down' EXIT
	ip netns add "$far_ns"
	delay_wire "$1"
	mkdir "$work/far"
	cp -R "$near/." "$work/far/"
	rm -f "$work/far/sshd.pid"
	sed -e "s|$near|$work/far|g" -e 's/^ListenAddress .*//' \
		-e 's/^AllowUsers .*//' "$near/sshd_config" \
		>"$work/far/sshd_config"
	ip netns exec "$far_ns" timeout -k 5 "${SSHD_TTL:-3600}" \
		"$(command -v sshd || echo /usr/sbin/sshd)" -D \
		-f "$work/far/sshd_config" -E "$work/far/sshd.log" \
		</dev/null >/dev/null 2>&1 &
	far_pid=$!
	until [ -s "$work/far/sshd.pid" ]; do
		kill -0 "$far_pid" || {
			cat "$work/far/sshd.log" >&2
			return 1
		}
		sleep 0.05
	done
}
