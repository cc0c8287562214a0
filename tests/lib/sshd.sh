# shellcheck shell=sh
# sshd.sh - throw-away sshds on loopback, for tests and the demo
#
# Source it.  Each function takes a work directory DIR (absolute, no blanks or
# quotes), which may hold one sshd.  Nothing outside DIR is read or written, but
# for /run/sshd, which sshd wants when root runs it.  An sshd run by an ordinary
# user lets only that user in.
#
#   sshd_keys DIR          make the keys, unless they are there
#   sshd_start DIR [N]     keys, then an sshd for the "hosts" 127.0.0.1 to
#                          127.0.0.N (default 1) on a free port
#   sshd_stop DIR          end the sshd and all its sessions; what sessions
#                          have detached lives on, as on a host cut off
#   sshd_sessions DIR      end the sessions alone, as a broken network would
#   sshd_pid DIR           its process id, if it runs
#   sshd_clean DIR         stop, end also what sessions left running (it is
#                          known by HOME=DIR/home), and remove DIR
#
# Set before sshd_start, to change what it does:
#   SSHD_HOSTKEY  the kinds of host keys: ed25519 (default), ecdsa, rsa, several
#                 with blanks between
#   SSHD_EXTRA    more lines for sshd_config, which come first and so win
#   SSHD_TTL      seconds until the sshd ends by itself (default 3600)
#
# In DIR for clients: port; pin ("TYPE BASE64" of the first host key);
# id_ed25519, id_ecdsa, id_rsa (let in), id_other (not let in); bin/ssh, the ssh
# of PATH with DIR/ssh_config, which knows the host keys and nothing of the
# user's; home, the HOME of the sessions; sshd.log.

sshd_fail() {
	echo "sshd.sh: $*" >&2
	return 1
}

# sshd_key DIR NAME TYPE [ssh-keygen arguments]
sshd_key() (
	dir=$1 name=$2 type=$3
	shift 3
	[ -f "$dir/$name" ] ||
		ssh-keygen -q -t "$type" "$@" -N '' -C "test $name" -f "$dir/$name"
)

sshd_keys() (
	dir=$1
	umask 077
	mkdir -p "$dir/home" "$dir/bin" || return 1
	for name in id host; do
		sshd_key "$dir" "${name}_ed25519" ed25519 || return 1
		sshd_key "$dir" "${name}_ecdsa" ecdsa -b 256 || return 1
		sshd_key "$dir" "${name}_rsa" rsa -b 2048 || return 1
	done
	sshd_key "$dir" id_other ed25519 || return 1
	cat "$dir/id_ed25519.pub" "$dir/id_ecdsa.pub" "$dir/id_rsa.pub" \
		>"$dir/authorized_keys"
)

# Prints our own sshd's pid.  A stale pid file, whose number has become another
# process, is not believed: the process must name our configuration.
sshd_pid() (
	pid=
	[ ! -s "$1/sshd.pid" ] || read -r pid <"$1/sshd.pid"
	case $pid in '' | *[!0-9]*) return 0 ;; esac
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" |
		grep -qF -- "$1/sshd_config" && echo "$pid"
	return 0
)

# sshd_below PID: its descendants that are sshds, and whoever is in the sessions
# that these have made: those named in sshd_sids, which is set at the first call.
# What has gone into a session of its own is not among them.  In sshd_pids.
sshd_below() {
	# shellcheck disable=SC2016 # awk's
	sshd_pids=$(cat /proc/[0-9]*/stat 2>/dev/null |
		awk -v root="$1" -v known="${sshd_sids-}" '
		{
			pid = $1
			is_sshd[pid] = /^[0-9]+ \(sshd\) /
			sub(/^.*\) /, "")
			split($0, f, " ")
			parent[pid] = f[2]
			sid[pid] = f[4]
			is_dead[pid] = f[1] == "Z"
		}
		END {
			n = split(known, f, " ")
			for (i = 1; i <= n; i++)
				in_sid[f[i]] = 1
			mine[root] = 1
			do {
				more = 0
				for (p in parent) {
					if (p in mine || !(parent[p] in mine))
						continue
					if (is_sshd[p])
						more = mine[p] = 1
					else if (sid[p] != sid[root])
						in_sid[sid[p]] = 1
				}
			} while (more)
			for (p in sid)
				if (p != root && !is_dead[p] &&
				    (p in mine || sid[p] in in_sid))
					printf "%s ", p
			printf ":"
			for (s in in_sid)
				printf " %s", s
		}')
	sshd_sids=${sshd_pids#*:}
	sshd_pids=${sshd_pids%:*}
}

# sshd_gone PID...: waits until all have ended, 10 seconds at most
sshd_gone() (
	for pid in "$@"; do
		tries=0
		while [ -d "/proc/$pid" ] && [ $tries -lt 200 ] &&
			! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null; do
			tries=$((tries + 1))
			sleep 0.05
		done
		[ $tries -lt 200 ] || return 1
	done
)

sshd_config() { # DIR N PORT
	printf '%s\n' "${SSHD_EXTRA:-}"
	echo "Port $3"
	if [ "$2" -le 15 ]; then
		i=1
		while [ $i -le "$2" ]; do
			echo "ListenAddress 127.0.0.$i"
			i=$((i + 1))
		done
	else
		# sshd has room for 16 sockets; this one takes all of loopback
		echo 'ListenAddress 0.0.0.0 rdomain lo'
	fi
	for kind in ${SSHD_HOSTKEY:-ed25519}; do
		echo "HostKey $1/host_$kind"
	done
	cat <<-END
		PidFile $1/sshd.pid
		AuthorizedKeysFile $1/authorized_keys
		AllowUsers $(id -un)@127.0.0.0/8
		SetEnv HOME=$1/home
		AuthenticationMethods publickey
		PermitRootLogin prohibit-password
		UsePAM no
		StrictModes no
		UseDNS no
		PrintMotd no
		PrintLastLog no
		X11Forwarding no
		AllowTcpForwarding yes
		MaxStartups 2000
		MaxSessions 100
		MaxAuthTries 10
		LogLevel VERBOSE
	END
}

sshd_client() { # DIR PORT
	for kind in ${SSHD_HOSTKEY:-ed25519}; do
		printf '[127.0.0.*]:%s ' "$2"
		cut -d' ' -f1,2 "$1/host_$kind.pub"
	done >"$1/known_hosts"
	for kind in ${SSHD_HOSTKEY:-ed25519}; do
		cut -d' ' -f1,2 "$1/host_$kind.pub"
		break
	done >"$1/pin"
	cat >"$1/ssh_config" <<-END
		Host *
		    UserKnownHostsFile $1/known_hosts
		    GlobalKnownHostsFile /dev/null
		    IdentityAgent none
	END
	# The real one, not a wrapper of an earlier call
	: "${SSHD_PATH:=$PATH}"
	real=$(PATH=$SSHD_PATH command -v ssh) || return 1
	printf '#!/bin/sh\nexec %s -F %s/ssh_config "$@"\n' "$real" "$1" \
		>"$1/bin/ssh"
	chmod 0755 "$1/bin/ssh"
}

sshd_random_port() {
	# below the ports the kernel gives to clients
	echo $((10000 + $(od -An -N2 -tu2 /dev/urandom) % 22000))
}

# sshd_try DIR N PORT: true when it listens there
sshd_try() (
	dir=$1
	umask 077
	rm -f "$dir/sshd.pid"
	sshd_config "$@" >"$dir/sshd_config" || return 1
	"$SSHD_PROGRAM" -t -f "$dir/sshd_config" || return 1
	: >"$dir/sshd.log"
	timeout -k 5 "${SSHD_TTL:-3600}" "$SSHD_PROGRAM" -D \
		-f "$dir/sshd_config" -E "$dir/sshd.log" \
		</dev/null >/dev/null 2>&1 &
	watch=$!
	while kill -0 $watch 2>/dev/null; do
		if [ -s "$dir/sshd.pid" ]; then
			# One that could have only some of its addresses won't do
			grep -q 'Bind to port' "$dir/sshd.log" || return 0
			sshd_stop "$dir"
			return 1
		fi
		sleep 0.02
	done
	return 1
)

sshd_start() {
	case $1 in
	*[[:space:]\"\'\\]*) sshd_fail "blanks or quotes in $1" || return 1 ;;
	/*) ;;
	*) sshd_fail "$1 is not an absolute path" || return 1 ;;
	esac
	[ -z "$(sshd_pid "$1")" ] || sshd_fail "one runs in $1" || return 1
	SSHD_PROGRAM=$(command -v sshd || echo /usr/sbin/sshd)
	[ -x "$SSHD_PROGRAM" ] || sshd_fail "no sshd here" || return 1
	[ "$(id -u)" != 0 ] || install -d -m 0755 /run/sshd || return 1
	sshd_keys "$1" || return 1
	sshd_tries=0
	while [ $sshd_tries -lt 10 ]; do
		sshd_tries=$((sshd_tries + 1))
		sshd_port=${SSHD_PORT:-$(sshd_random_port)}
		if sshd_try "$1" "${2:-1}" "$sshd_port"; then
			echo "$sshd_port" >"$1/port"
			sshd_client "$1" "$sshd_port"
			return
		fi
	done
	sshd_fail "it does not start: $(tail -n 2 "$1/sshd.log" 2>/dev/null)"
}

sshd_sessions() (
	own=$(sshd_pid "$1")
	[ -n "$own" ] || return 0
	tries=0
	sshd_sids=
	while sshd_below "$own"; [ -n "$sshd_pids" ] && [ $tries -lt 200 ]; do
		# stopped first: none may say an orderly goodbye for another
		# shellcheck disable=SC2086 # numbers
		kill -STOP $sshd_pids 2>/dev/null || :
		# shellcheck disable=SC2086 # numbers
		kill -KILL $sshd_pids 2>/dev/null || :
		tries=$((tries + 1))
		[ $tries -lt 2 ] || sleep 0.02
	done
)

sshd_stop() {
	sshd_main=$(sshd_pid "$1")
	[ -n "$sshd_main" ] || return 0
	# Stopped first, so that no session is born meanwhile
	kill -STOP "$sshd_main" 2>/dev/null || :
	sshd_sessions "$1"
	kill -KILL "$sshd_main" 2>/dev/null || :
	rm -f "$1/sshd.pid"
	sshd_gone "$sshd_main"
}

# sshd_left DIR: what sessions left running, known by its HOME
sshd_left() (
	for env in /proc/[0-9]*/environ; do
		tr '\0' '\n' 2>/dev/null <"$env" | grep -qxF "HOME=$1/home" || continue
		pid=${env#/proc/}
		echo "${pid%/environ}"
	done
)

sshd_clean() {
	sshd_stop "$1"
	for sshd_pid in $(sshd_left "$1"); do
		[ "$sshd_pid" = $$ ] || kill -KILL "$sshd_pid" 2>/dev/null || :
	done
	rm -rf -- "$1"
}
