#!/bin/sh
# provision.t - a Debian server becomes a YunoHost host, with a stand-in for its
# installer that makes the stand-in `yunohost', closes root's login as the
# post-installation does, and makes the administrator; and fails at every stage
# shellcheck disable=SC2016 # for the host's shell
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
rig_more=yes
# YunoHost wants 10 GiB; the file is sparse.
TOWERIFY_RIG_DISK_MB=12288
export TOWERIFY_RIG_DISK_MB
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"
TOWERIFY_CATALOG=$top/share/catalog
export TOWERIFY_CATALOG

password="Zq9'secret horse"
printf '%s\n' "$password" >"$work/password"

# --- the servers -------------------------------------------------------------------

# The installer.  /srv/how says, a line each, how it and YunoHost go wrong.
cat >"$work/installer" <<'END'
#!/bin/bash
# stands for YunoHost's installer
set -eu
[ "$*" = -a ] || exit 2
[ ! -t 0 ] || exit 2
echo 'installing YunoHost'
mark installer
if grep -qx 'installer fails' /srv/how; then exit 3; fi
if grep -qx 'installer waits' /srv/how; then block installer; fi
state=/var/lib/yunohost-standin
mkdir -p /etc/yunohost "$state/hook" "$state/switch"
install -m 755 /srv/yunohost /srv/yunohost.sh /usr/bin
install -m 755 /srv/hook "$state/hook/tools-postinstall"
sed -n 's/^postinstall //p' /srv/how >"$state/switch/tools-postinstall"
END
# What the post-installation does to the server.
cat >"$work/hook" <<'END'
#!/bin/sh
set -eu
while [ $# -gt 0 ]; do
	[ "$1" != --username ] || user=$2
	shift
done
mark postinstall
useradd -m -s /bin/bash -p '*' "$user"
if grep -qx 'root stays' /srv/how; then exit 1; fi
echo 'PermitRootLogin no' >/etc/ssh/sshd_config.d/yunohost.conf
systemctl reload ssh
: >/dev/shm/closed
if grep -qx 'waits closed' /srv/how; then block closed; fi
# who is in is thrown out, as by a restart of the network
for process in /proc/[0-9]*; do
	case $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) in
	'sshd: root@'*) kill -KILL "${process#/proc/}" ;;
	esac
done
grep -qx 'not installed' /srv/how || : >/etc/yunohost/installed
END

# server NAME [HOW…]: a fresh one that serves the installer to itself
server() {
	name=$1
	shift
	hosts "$name"
	for file in "$work/installer" "$work/hook" "$top/tests/lib/yunohost" \
		"$top/tests/lib/yunohost.sh"; do
		on "$name" "cat >/srv/${file##*/}" <"$file"
	done
	# the base system has no procps, and units reload by its kill
	printf '%s\n' "$@" | on "$name" 'cat >/srv/how
		printf "#!/bin/sh\nkill \"\$@\"\n" >/bin/kill
		chmod 755 /bin/kill
		systemd-run -q --unit=web --working-directory=/srv \
			python3 -m http.server --bind 127.0.0.1 8000'
	within 20 on "$name" 'curl -sf http://127.0.0.1:8000/how' >/dev/null
	known "$name"
}
sum=$(sha256sum "$work/installer" | cut -d ' ' -f 1)

# provision NAME [FILE [SHA-256]]: $id, as queue add of the others
provision() {
	towerify-host -q provision "$1" --yes -p domain=shop.example \
		-p admin=boss -p "admin_password@$work/password" \
		-p "installer_url=http://127.0.0.1:8000/${2-installer}" \
		-p installer_sha256="${3-$sum}" >"$work/ids" 2>"$work/err" || {
		status=$?
		cat "$work/err"
		return "$status"
	}
	id=$(cat "$work/ids")
}
login_is() {	# NAME USER SUDO
	have=$(towerify-host show -J "$1" | jq -r '"\(.user) \(.sudo)"')
	[ "$have" = "$2 $3" ] || { echo "$have"; return 1; }
}
states_are() {	# of $id, without undos
	have=$(towerify-queue show -J "$id" |
		jq -r '[.steps[].state] | join(" ")')
	[ "$have" = "$1" ] || { echo "steps: $have"; return 1; }
}
record() {	# record ACTION: of $id, how many
	towerify-audit list -J --change "$id" |
		jq "[.records[] | select(.action == \"$1\")] | length"
}
root_is_out() {
	! rig_ssh root "$1" true
}
rig_ssh() {	# as the tower does
	ssh -i "$TOWERIFY_STATE/keys/default/id_ed25519" -o BatchMode=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o IdentitiesOnly=yes -o LogLevel=ERROR "$1@$(rig addr "$2")" "$3"
}
# A later change, which works as the new login with sudo.
change later <<'END'
steps:
  - name: who
    run: test "$(id -u)" -eq 0 && mark later
    undo: nothing
END
later() {
	add "$1" "$work/later.yaml"
	run_
	status_is "$id" succeeded
}
no_secret() {	# left anywhere on the host
	on "$1" 'grep -rsFl -e "$0" /var /etc /root /home /srv /tmp /run \
		/dev/shm' "$password" >"$work/left" || :
	[ ! -s "$work/left" ] || { cat "$work/left"; return 1; }
	on "$1" 'journalctl --no-pager' >"$work/journal"
	! grep -F "$password" "$work/journal"
}
# The stand-in hands its hook all arguments: that one apart.
shown_by_ps() {
	on "$1" 'for process in /proc/[0-9]*; do
		tr "\0" " " <"$process/cmdline" && echo
	done 2>/dev/null' | grep -v /hook/ | grep -F "$password"
}
held_and_failed() {
	status_is "$id" failed && host_is "$1" held
}

# --- it works -------------------------------------------------------------------------

server good
towerify-host show -J good | jq .spool_id >"$work/spool_id"
ok 'provision is filed' provision good
run_
ok 'a server becomes a YunoHost host' status_is "$id" succeeded
ok '... all of it was done' states_are \
	'done unchanged done done done done'
ok '... root is locked out' root_is_out good
ok '... the tower comes as the administrator, with sudo' login_is good boss true
ok '... which had to be tried, as its session was closed' test \
	"$(record change.login)" -eq 1
ok '... and is stored with a record' test "$(record host.login)" -eq 1
ok '... the installer was run from its file' test \
	"$(towerify-queue log -J "$id" | jq -j .data |
		grep -c "SHA-256 of the installer: $sum")" -eq 1
ok '... the last operation of its log is named' eval \
	'towerify-queue log "$id" | grep -q "yunohost log: .*tools_postinstall"'
ok '... YunoHost knows domain and user' on good \
	'yunohost domain list | grep -q shop.example &&
		yunohost user list | grep -q boss'
ok 'a later change runs as that user, with sudo' later good
ok '... in the same spool' eval \
	'towerify-host show -J good | jq .spool_id | diff "$work/spool_id" -'
ok '... once each' marks_are good "1 4 installer
1 6 postinstall
2 1 later"
ok '... by its sudo' on good 'journalctl -q _COMM=sudo | grep -q "boss : .*USER=root"'
ok 'host check works as well' towerify-host -q check good
ok '... and knows what there is' test "$(towerify-host show -J good |
	jq -r '.facts | if type == "string" then fromjson else . end |
	.software')" = yunohost
ok 'the password is nowhere on the host' no_secret good
ok '... nor in the state' eval '! grep -rFq "$password" "$TOWERIFY_STATE"'
ok '... nor in what was printed' eval \
	'! towerify-queue log "$id" | grep -F "$password"'
provision good >"$work/said" || :
ok 'a second time it is refused' grep -q \
	'good: without: needs a host without yunohost, has it' "$work/err"

# --- the tower dies ---------------------------------------------------------------------

server dies 'installer waits' 'waits closed' 'postinstall slow 2'
provision dies
run_bg
here dies installer
ok 'no password on a command line' eval '! shown_by_ps dies'
kill -KILL "$runner"
wait "$runner" 2>/dev/null || :
go dies installer
run_bg
within 30 on dies 'grep -sq yunohost.sh /proc/[0-9]*/cmdline'
ok '... nor while the post-installation runs' eval '! shown_by_ps dies'
here dies closed
ok '... nor when it is nearly done' eval '! shown_by_ps dies'
kill -KILL "$runner"
wait "$runner" 2>/dev/null || :
ok 'the tower died twice, root is locked out' root_is_out dies
# Neither login is open: the administrator has no key yet.
run_bg
within 20 eval 'towerify-host show -J dies | jq -e ".last_error |
	test(\"successor login: login as boss refused\")"' || :
ok '... neither login is open: that is waited for' host_is dies running
go dies closed
pass_ends
ok '... then it succeeds' status_is "$id" succeeded
ok '... each step once' marks_are dies "$id 4 installer
$id 6 postinstall"
ok '... as the administrator' login_is dies boss true
ok '... a later change too' later dies

# --- what is not fit, found on the host -------------------------------------------------

server unfit
on unfit 'systemd-run -q --unit=other python3 -m http.server 80' >/dev/null
within 20 on unfit 'curl -sf http://127.0.0.1/ >/dev/null'
provision unfit
run_
ok 'a web server that facts do not tell of: rolled back' \
	status_is "$id" rolled-back
ok '... with the reason' eval \
	'towerify-queue log "$id" | grep -q "something listens at port 80 or 443"'
ok '... nothing was done' marks_are unfit ''
ok '... nothing is held' host_is unfit ready
on unfit 'systemctl stop other'

# --- what is no installer -----------------------------------------------------------------

provision unfit none
run_
ok 'no installer: rolled back' status_is "$id" rolled-back
provision unfit installer "$(echo x | sha256sum | cut -c 1-64)"
run_
ok 'another one than expected: rolled back' status_is "$id" rolled-back
ok '... says which it is' eval \
	'towerify-queue log "$id" | grep -q "SHA-256 of the installer: $sum"'
provision unfit how "$(on unfit 'sha256sum /srv/how' | cut -c 1-64)"
run_
ok 'no program: rolled back' status_is "$id" rolled-back
provision unfit installer ''
run_
ok 'by http without a checksum: rolled back' status_is "$id" rolled-back
ok '... nothing was ever run' marks_are unfit ''
ok '... nothing is left of it' on unfit \
	'! ls /var/cache/towerify-yunohost* 2>/dev/null'

# --- failures that have no way back ------------------------------------------------------------

on unfit 'echo "installer fails" >/srv/how'
provision unfit
run_
ok 'the installer fails: failed, and held' held_and_failed unfit
ok '... with the exit status' reason_is "$id" \
	"step 4 'YunoHost is installed': run failed, exit status 3*"
ok '... the login stays' login_is unfit root false

server early 'postinstall fail'
provision early
run_
ok 'the post-installation fails at once: failed, and held' held_and_failed early
ok '... the login stays, as it is open' login_is early root false

server liar 'postinstall lie'
provision liar
run_
ok 'it does nothing and says that it is done: failed, and held' \
	held_and_failed liar
ok '... as there is no user' eval \
	'towerify-queue log "$id" | grep -q "there is no user boss"'

server late 'not installed'
provision late
run_
ok 'it fails after root was locked out: failed, and held' held_and_failed late
ok '... by its own words' eval \
	'towerify-queue log "$id" | grep -q "the post-installation is not done"'
ok '... the tower has the login that is open' login_is late boss true
ok '... with a record' test "$(record host.login)" -eq 1
towerify-host -q release late
ok '... and can go on by it' later late

server half 'root stays'
provision half
run_
ok 'it does what it should, and fails: failed, and held' held_and_failed half
ok '... the login stays' login_is half root false

# --- secrets --------------------------------------------------------------------------------------

for host in unfit early liar late half; do
	ok "$host: the password is nowhere on the host" no_secret "$host"
done
leave
