#!/bin/sh
# demo.sh - towerify in a minute, on this machine alone
#
# Starts a throw-away sshd on loopback that plays three hosts, files a change
# that succeeds and one that fails, runs a pass, and shows the queue, the
# steps, the rollback and the verified audit trail.  Everything lives in one
# temporary directory; nothing is left, nothing else is touched.
#
# Usage: demo.sh [--keep]      (the tools are taken from PATH)
set -eu

keep=''
[ "${1:-}" != --keep ] || keep=1
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-demo.XXXXXX")
sshd_pid=''

clean() {
	[ -z "$sshd_pid" ] || kill "$sshd_pid" 2>/dev/null || :
	[ -z "$sshd_pid" ] || wait "$sshd_pid" 2>/dev/null || :
	if [ -n "$keep" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}
trap clean EXIT
trap 'exit 130' INT TERM

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
# shows a command line, then runs it; its exit status may be anything
show() {
	printf '%s$' "$bold"
	for word; do
		case $word in
		*[!A-Za-z0-9_./,:@=+-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '%s\n' "$plain"
	status=0
	"$@" || status=$?
	[ "$status" -eq 0 ] || echo "(exit status $status)"
}

# --- a throw-away sshd --------------------------------------------------------

sshd=$(command -v sshd || echo /usr/sbin/sshd)
[ -x "$sshd" ] || {
	echo "demo: sshd is not installed; try ./bootstrap deps" >&2
	exit 75
}
[ "$(id -u)" -ne 0 ] || install -d -m 0755 /run/sshd
ssh-keygen -q -t ed25519 -N '' -C demo -f "$work/hostkey"
mkdir "$work/home"
port=$((20000 + $$ % 20000))

start_sshd() {
	cat >"$work/sshd_config" <<-END
	Port $port
	ListenAddress 127.0.0.11
	ListenAddress 127.0.0.12
	ListenAddress 127.0.0.13
	HostKey $work/hostkey
	PidFile none
	AuthorizedKeysFile $work/authorized_keys
	AuthenticationMethods publickey
	PermitRootLogin prohibit-password
	SetEnv HOME=$work/home
	UsePAM no
	StrictModes no
	UseDNS no
	MaxStartups 100
	LogLevel ERROR
	END
	# the demo ends it; should the demo be killed, an hour does
	timeout 3600 "$sshd" -D -f "$work/sshd_config" -E "$work/sshd.log" &
	sshd_pid=$!
	tries=0
	until ssh-keyscan -T 1 -p "$port" 127.0.0.13 >"$work/scan" 2>/dev/null &&
	    [ -s "$work/scan" ]; do
		tries=$((tries + 1))
		kill -0 "$sshd_pid" 2>/dev/null || return 1
		[ "$tries" -lt 100 ] || return 1
		sleep 0.1
	done
}
: >"$work/authorized_keys"
until start_sshd; do
	port=$((port + 1))
	[ "$port" -lt 41000 ] || { cat "$work/sshd.log" >&2; exit 75; }
done

# --- the tower -----------------------------------------------------------------

TOWERIFY_STATE=$work/state
export TOWERIFY_STATE
unset SUDO_UID TOWERIFY_OPERATOR || :
fingerprint=$(ssh-keygen -lf "$work/hostkey.pub" | cut -d ' ' -f 2)
user=$(id -un)

say "A new tower.  Its public key goes to the hosts:"
show towerify-host key
towerify-host key >"$work/authorized_keys"

say "Three hosts (here: one sshd that plays them all, each with its own spool)."
for i in 1 2 3; do
	show towerify-host add "web$i" "$user@127.0.0.1$i:$port" \
	    --host-key "$fingerprint" --label role=web \
	    --spool "$work/spool$i"
done
show towerify-host list -o name,address,port,status,labels

say "A change file: steps that say how to check, do and undo."
cat >"$work/site.yaml" <<END
towerify: 1
title: Publish the front page
params:
  root: {type: string, required: true}
  greeting: {type: string, default: "Hello"}
steps:
  - name: document root
    check: test -d "\$root/\$TOWERIFY_HOST"
    run: mkdir -p "\$root/\$TOWERIFY_HOST"
    undo: rm -rf "\$root/\$TOWERIFY_HOST"
  - name: front page
    run: |
      printf '<h1>%s from %s</h1>\\n' "\$greeting" "\$TOWERIFY_HOST" \\
          >"\$root/\$TOWERIFY_HOST/index.html"
      cat "\$root/\$TOWERIFY_HOST/index.html"
    undo: rm -f "\$root/\$TOWERIFY_HOST/index.html"
END
cat "$work/site.yaml"
show towerify-queue add 'web[1-3]' "$work/site.yaml" -p "root=$work/www"

say "And one that breaks half way, on web1 only."
cat >"$work/broken.yaml" <<END
towerify: 1
title: Retire the front page
steps:
  - name: maintenance notice
    file: {path: $work/www/web1/notice.txt, content: "back soon\n"}
  - name: move the page away
    run: cd $work/www/web1 && mv -v index.html old.html
    undo: cd $work/www/web1 && mv -v old.html index.html
  - name: reload a service that is not there
    run: |
      echo "reloading" >&2
      false
    undo: nothing
END
cat "$work/broken.yaml"
show towerify-queue add web1 "$work/broken.yaml" --reason "a demonstration"
show towerify-queue list

say "A pass: hosts in parallel, one change at a time on each.  Cron would do this."
show towerify-run -v

say "What became of them?"
show towerify-queue list --all
show towerify-queue show 4
show towerify-queue log 4
say "Rolled back: the page is where it was, the notice is gone."
show ls "$work/www/web1"

say "Who did what, in a chain that shows any tampering:"
show towerify-audit list --host web1
show towerify-audit verify

say "Try next:"
cat <<'END'
  man towerify                        the concepts, and a worked pipeline
  towerify-host add NAME USER@HOST    a host of yours
  towerify-queue check FILE           is a change file good?
  towerify-queue plan TARGETS FILE    what would it do? (asks the checks only)
END

# What was shown is what it should be.
statuses=$(towerify-queue list --all --tsv -n -o status | tr '\n' ' ')
[ "$statuses" = 'succeeded succeeded succeeded rolled-back ' ] || {
	echo "demo: the changes ended as: $statuses" >&2
	exit 70
}
