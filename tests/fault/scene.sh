# scene.sh - a tower in which something of everything is there; sourced
# shellcheck shell=sh
# shellcheck source=tests/e2e/lib.sh
#
# On top of tests/e2e/lib.sh; $work is what the drivers of this folder call the
# scene.
#
#   scene             makes it: hosts, operators, an app with two instances,
#                     changes that ended and one that waits
#   acts FILE         writes the table of verbs that act on the state
#   passes FILE       the table of passes, and of verbs that reach hosts
#   $sweep, $shim …   the programs of this folder
#   spread N          $sample: N in make check, 0 (all) in make check-long,
#                     which sets TOWERIFY_FAULT_LONG; TOWERIFY_FAULT_SAMPLE
#                     sets it for both
#   some FILE         in make check only some of the verbs of a table
#   driven COMMAND…   runs a driver; its TAP becomes this script's
#   plants TEXT PATTERN COMMAND…  … with a planted fault, which it must find
#
# Steps write what they do to $work/traces/log.

. "$top/tests/e2e/lib.sh"

build=${abs_top_builddir:-$top}
sweep=$build/tests/fault/sweep
power=$build/tests/fault/power
shim=$build/tests/fault/shim.so
for program in "$sweep" "$power" "$shim"; do
	[ -e "$program" ] || {
		echo "1..0 # SKIP $program is not built"
		exit 0
	}
done
# The sanitizers want to be loaded first, and count memory themselves.
if LC_ALL=C grep -q __asan_init "$(command -v towerify-run)"; then
	echo '1..0 # SKIP the shim and the sanitizers do not go together'
	exit 0
fi

spread() {
	# shellcheck disable=SC2034 # for the script
	if [ -n "${TOWERIFY_FAULT_LONG-}" ]; then
		sample=${TOWERIFY_FAULT_SAMPLE:-0}
		few=all=yes
	else
		sample=${TOWERIFY_FAULT_SAMPLE:-$1}
		few=few=yes
	fi
}

# The whole table takes minutes: `make check' has a third of it.
some() {
	if [ -z "${TOWERIFY_FAULT_LONG-}" ]; then
		grep -E '^(host-key|org-add|op-remove|host-set|queue-add)\|' \
			"$1" >"$work/some"
		grep -E '^(queue-cancel|app-deploy|app-undeploy|secret-key)\|' \
			"$1" >>"$work/some"
		grep -E '^(audit-prune|queue-show|queue-log|audit-verify)\|' "$1" \
			>>"$work/some"
		mv "$work/some" "$1"
	fi
}

driven() {
	"$@" >"$work/driven" 2>&1 || :
	while IFS= read -r driven_line; do
		case $driven_line in
		'ok '*) pass "${driven_line#ok * - }" ;;
		'not ok '*)
			fail "${driven_line#not ok * - }" </dev/null ;;
		1..*) ;;
		*) printf '%s\n' "$driven_line" ;;
		esac
	done <"$work/driven"
	grep -q '^1\.\.' "$work/driven" ||
		fail "the driver came to its end: $*" <"$work/driven"
}

plants() {
	plants_text=$1
	plants_pattern=$2
	shift 2
	if "$@" >"$work/driven" 2>&1; then
		fail "$plants_text" <"$work/driven"
	elif grep -q -e "$plants_pattern" "$work/driven"; then
		pass "$plants_text"
	else
		fail "$plants_text" <"$work/driven"
	fi
}

wiki() {	# wiki VERSION: an app file
	cat >"$work/wiki-$1.yaml" <<EOF
towerify-app: 1
app: wiki
version: '$1'
title: A wiki
params:
  word: {type: string, default: plain}
EOF
	for action in deploy start stop upgrade undeploy; do
		cat >>"$work/wiki-$1.yaml" <<EOF
$action:
  - name: $action
    run: echo "\$TOWERIFY_HOST $action" >>$work/traces/log
    undo: nothing
EOF
	done
}

files() {
	change good <<EOF
params:
  word: {type: string, default: plain}
  pw: {type: secret}
steps:
  - name: one
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 1" >>$work/traces/log
      echo "\$word"
    undo: nothing
  - name: two
    check: grep -qsx "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 2" $work/traces/log
    run: echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 2" >>$work/traces/log
    undo: nothing
  - name: three
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 3" >>$work/traces/log
      test -n "\$pw" || echo none
    undo: nothing
EOF
	change bad <<EOF
params:
  word: {type: string, default: plain}
steps:
  - name: one
    run: echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 1" >>$work/traces/log
    undo: echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 4 undo" >>$work/traces/log
  - name: two
    run: |
      echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 2" >>$work/traces/log
      false
    undo: echo "\$TOWERIFY_HOST \$TOWERIFY_CHANGE 3 undo" >>$work/traces/log
EOF
	for version in 1.0 1.1 1.2; do
		wiki "$version"
	done
	echo secretword >"$work/pw"
	ssh-keygen -q -t ed25519 -N '' -C carol -f "$work/carol"
}

operators() {
	towerify-op -q add bob
	towerify-op -q add dora
	towerify-op -q grant bob view,change --on 'h1,h2'
	towerify-op -q grant dora view
	towerify-op -q org add acme
	towerify-op -q org add empty
}

# Carol's line is there before she is: what acts on it outlives a run.
line() {
	cp -a "$TOWERIFY_STATE" "$work/kept"
	[ -d "$HOME/.ssh" ] || mkdir -m 700 "$HOME/.ssh"
	towerify-op -q add carol --ssh-key "$work/carol.pub" \
		>>"$HOME/.ssh/authorized_keys"
	chmod 600 "$HOME/.ssh/authorized_keys"
	rm -r "$TOWERIFY_STATE"
	mv "$work/kept" "$TOWERIFY_STATE"
}

scene() {
	mkdir -p "$work/traces" "$work/nothing"
	chmod 700 "$work/nothing"
	tower_sshd
	tower_hosts 3
	files
	operators
	quietly towerify-app add "$work/wiki-1.0.yaml"
	quietly towerify-app add "$work/wiki-1.1.yaml"
	add 'h[1,2]' "$work/good.yaml" -p "pw@$work/pw"		# 1 and 2
	add h1 "$work/bad.yaml"	-p word=other			# 3
	quietly towerify-app deploy wiki@1.0 h1 --name web -p word=x	# 4
	quietly towerify-app deploy wiki@1.0 h1 --name shop	# 5
	quietly towerify-run
	quietly towerify-app stop shop h1			# 6
	quietly towerify-run
	towerify-host -q hold h2 --reason 'for the tests'
	add h2 "$work/good.yaml" --key waiting			# 7
	add h1 "$work/good.yaml" -p "pw@$work/pw"		# 8
	add h1 "$work/bad.yaml"					# 9
	add h3 "$work/good.yaml"				# 10
	quietly towerify-host check 'h[1,3]'
	line
	: >"$work/traces/log"
}

acts() {
	prune='towerify-audit prune --older-than 0s'
	cat >"$1" <<EOF
host-key|again,empty|towerify-host key
op-init|empty|towerify-op --state $work/state init $me
op-add||towerify-op add carol
op-add-key|again|towerify-op -q add carol --ssh-key $work/carol.pub
op-add-install|again|towerify-op -q add carol --ssh-key $work/carol.pub --install
op-remove||towerify-op remove bob
op-set|again|towerify-op set bob admin=yes
op-grant||towerify-op grant bob audit
op-ungrant||towerify-op ungrant bob change --all
org-add||towerify-op org add shop
org-remove||towerify-op org remove empty
host-hold||towerify-host hold h1 --reason because
host-release||towerify-host release h2
host-remove||towerify-host remove h3
host-set||towerify-host set h1 label.role=front spool=/var/spool/x
queue-add|again|towerify-queue add h[1-3] $work/good.yaml --key once -p pw@$work/pw
queue-add-plain||towerify-queue add h3 $work/bad.yaml --reason because
queue-cancel||towerify-queue cancel 7
queue-retry||towerify-queue retry 3
app-add|again|towerify-app add $work/wiki-1.2.yaml
app-import|again|towerify-app import $top/tests/data/yunohost/apps.json
app-remove||towerify-app remove wiki@1.1
app-deploy||towerify-app deploy wiki@1.1 h3 --name third -p word=x
app-upgrade||towerify-app upgrade web h1
app-start||towerify-app start shop h1
app-stop||towerify-app stop web h1
app-undeploy||towerify-app undeploy shop h1
secret-key|keyless|towerify-queue add h3 $work/good.yaml -p pw@$work/pw
audit-prune||$prune|$prune
queue-list|read|towerify-queue list --all --tsv
queue-show|read|towerify-queue show 1 -J
queue-log|read|towerify-queue log 1 -J
queue-log-text|read|towerify-queue log 1
queue-why|read|towerify-queue why 7
op-can|read|towerify-op can bob change h1
op-grants|read|towerify-op grants -o +scope
host-list|read|towerify-host list --tsv
audit-list|read|towerify-audit list --tsv
audit-verify|read|towerify-audit verify
EOF
}

passes() {
	passes_add="-q add h4 $address --host-key $fingerprint"
	passes_add="$passes_add --spool $work/spool-h4"
	cat >"$1" <<EOF
host-add||towerify-host $passes_add|towerify-host check h4
host-check||towerify-host check h1
queue-plan||towerify-queue plan h1 $work/good.yaml
pass|pass|towerify-run
pass-child|pass,child|towerify-run
EOF
}
