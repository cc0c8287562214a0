#!/bin/sh
# peers.sh - the workload, by other tools; fleet and delay call it
#
#	peers.sh has PEER			is it installed?
#	peers.sh PEER DIR HOSTS STEPS COMMAND	does it
#
# PEER is ansible, clush, fabric, pssh or ssh; limit is ours.  DIR is made by
# hosts_for_peers.  All hosts at once, steps one after the other, a status a
# host and step is printed; clush, pssh and ansible share one connection a host
# (ControlMaster) and end it afterwards, ansible uses pipelining.
set -eu

# end_masters: connections that are kept open end with the run
end_masters() {
	for socket in "$dir"/cp/*; do
		[ ! -S "$socket" ] || ssh -F "$dir/ssh_config" \
			-o "ControlPath=$socket" -O exit x 2>/dev/null || :
	done
}

multiplexed() {
	mkdir -p "$dir/cp"
	{
		cat "$dir/ssh_config"
		echo '    ControlMaster auto'
		echo "    ControlPath $dir/cp/%h"
		echo '    ControlPersist 30'
	} >"$dir/ssh_config.mux"
	trap end_masters EXIT
}

run_ssh() {
	while read -r host; do
		(
			k=0
			while [ "$k" -lt "$steps" ]; do
				ssh -n -F "$dir/ssh_config" "$host" "$command"
				echo "$host $k"
				k=$((k + 1))
			done
		) &
		pids="${pids:-} $!"
	done <"$dir/now"
	for pid in $pids; do
		wait "$pid"
	done
}

run_pssh() {
	multiplexed
	k=0
	while [ "$k" -lt "$steps" ]; do
		parallel-ssh -h "$dir/now" -p "$hosts" -t 0 \
			-x "-F $dir/ssh_config.mux" "$command"
		k=$((k + 1))
	done
}

run_clush() {
	multiplexed
	k=0
	while [ "$k" -lt "$steps" ]; do
		clush --hostfile="$dir/now" -f "$hosts" -S \
			-O ssh_options="-F $dir/ssh_config.mux" "$command"
		echo "step $k $?"
		k=$((k + 1))
	done
}

run_fabric() {
	/usr/bin/python3 "${0%/*}/peer_fabric.py" "$dir" "$hosts" "$steps" \
		"$command"
}

run_ansible() {
	mkdir -p "$dir/cp"
	trap end_masters EXIT
	{
		echo '[all]'
		sed 's|$| ansible_python_interpreter=/usr/bin/python3|' "$dir/now"
	} >"$dir/inventory"
	{
		echo '- hosts: all'
		echo '  gather_facts: no'
		echo '  tasks:'
		k=0
		while [ "$k" -lt "$steps" ]; do
			echo "  - shell: '$command'"
			k=$((k + 1))
		done
	} >"$dir/playbook.yaml"
	: >"$dir/ansible.cfg"
	ANSIBLE_CONFIG=$dir/ansible.cfg HOME=$dir/ansible \
		ANSIBLE_LOCAL_TEMP=$dir/ansible/tmp ANSIBLE_NOCOLOR=1 \
		ANSIBLE_REMOTE_TMP=$dir/ansible/far ANSIBLE_PIPELINING=True \
		ANSIBLE_SSH_CONTROL_PATH_DIR=$dir/cp \
		ANSIBLE_RETRY_FILES_ENABLED=0 \
		ANSIBLE_SSH_ARGS="-F $dir/ssh_config -o ControlMaster=auto \
-o ControlPersist=30" \
		ansible-playbook -i "$dir/inventory" -f "$hosts" \
		"$dir/playbook.yaml"
}

has() {
	case $1 in
	ansible) command -v ansible-playbook ;;
	clush) command -v clush ;;
	fabric) /usr/bin/python3 -c 'import fabric' ;;
	pssh) command -v parallel-ssh ;;
	ssh) command -v ssh ;;
	*) false ;;
	esac
}

peer=$1
if [ "$peer" = has ]; then
	has "$2" >/dev/null 2>&1
	exit
fi
dir=$2 hosts=$3 steps=$4 command=$5
head -n "$hosts" "$dir/hosts" >"$dir/now"
"run_$peer"
