# shellcheck shell=sh
# hosts.sh - the fleet: up to 1,250 "hosts" 127.0.1.1, 127.0.1.2, ... on one sshd
#
# All of 127/8 is loopback.  Host number I is host hI of the tower and has a
# spool of its own; the sessions' HOME is one directory, which is not the
# caller's.
#
#   hosts_up N		the sshd; the tower's key is let in
#   hosts_down		its end, and that of its sessions
#   hosts_add I J	hosts hI to hJ join the tower, by a login each
#   reach COMMAND...	runs what is to reach the hosts
#   host_address I
#   hosts_for_peers DIR N	what other clients need, in DIR: hosts (addresses,
#			one a line), ssh_config, known_hosts, key, port
#   steps N COMMAND	a change of N steps

# shellcheck disable=SC2154 # here, work: of lib.sh
# shellcheck source=tests/lib/sshd.sh
. "$here/../lib/sshd.sh"

# shellcheck disable=SC2154
near=$work/near

host_address() { echo "127.0.$((1 + ($1 - 1) / 250)).$((1 + ($1 - 1) % 250))"; }

reach() { "$@"; }

hosts_up() {
	# more hosts than sshd has sockets: it listens on all of loopback
	SSHD_EXTRA='LogLevel ERROR' sshd_start "$near" 100
	trap hosts_down EXIT
	towerify-host -q key >>"$near/authorized_keys"
	port=$(cat "$near/port")
	print=$(ssh-keygen -lf "$near/host_ed25519.pub" | cut -d ' ' -f 2)
}

hosts_down() { sshd_clean "$near" >/dev/null 2>&1 || :; }

hosts_add() {
	host=$1
	while [ "$host" -le "$2" ]; do
		reach towerify-host -q add "h$host" \
			"$(id -un)@$(host_address "$host"):$port" \
			--host-key "$print" --spool "$work/spool/h$host"
		host=$((host + 1))
	done
}

hosts_for_peers() {
	host=1
	while [ "$host" -le "$2" ]; do
		host_address "$host"
		host=$((host + 1))
	done >"$1/hosts"
	cp "$near/id_ed25519" "$1/key"
	echo "$port" >"$1/port"
	read -r type blob _ <"$near/host_ed25519.pub"
	sed "s|.*|[&]:$port $type $blob|" "$1/hosts" >"$1/known_hosts"
	cat >"$1/ssh_config" <<-END
		Host *
		    Port $port
		    User $(id -un)
		    IdentityFile $1/key
		    IdentitiesOnly yes
		    IdentityAgent none
		    UserKnownHostsFile $1/known_hosts
		    GlobalKnownHostsFile /dev/null
		    StrictHostKeyChecking yes
		    UpdateHostKeys no
		    PreferredAuthentications publickey
		    BatchMode yes
		    LogLevel ERROR
	END
}

steps() {
	printf 'towerify: 1\nsteps:\n'
	step=0
	while [ "$step" -lt "$1" ]; do
		printf '  - run: %s\n    undo: nothing\n' "$2"
		step=$((step + 1))
	done
}
