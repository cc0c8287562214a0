#!/bin/sh
# rights.t - who may do what: every verb of every tool x permission x scope x
#            whose organisation, against rights.golden
#
# alice comes through the gate of towerify-shell.  Her organisation is red, or
# blue where red is somebody else's.  A cell is the exit status of one command
# on a fresh copy of the state.  Whatever was refused must have changed
# nothing; what is another's must be told in the words for what does not exist.
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

golden=$top/tests/cli/rights.golden
base=$work/base
TOWERIFY_STATE=$base
tower_sshd
printf '%s\n' 'towerify: 1' 'steps:' '  - {run: "true", undo: nothing}' \
	>"$work/file.yaml"

printf '%s\n' 'towerify: 1' 'successor: {port: 2222}' 'steps:' \
	'  - {run: "true", undo: nothing}' >"$work/login.yaml"

# --- the state -----------------------------------------------------------------

# Two organisations with nothing in common but the tower.
quietly towerify-op org add red
quietly towerify-op org add blue
towerify-host --org red key >>"$work/sshd/authorized_keys"
for host in web1 db1; do
	tower_host "$host" --org red --label "role=$host"
done
quietly towerify-host --org red hold web1 --reason test
for why in queued ended; do
	quietly towerify-queue --org red add web1 "$work/file.yaml" \
		--reason "$why"
done
quietly towerify-queue --org red cancel 2
cat >"$work/app.yaml" <<'EOF'
towerify-app: 1
app: wiki
version: '1'
deploy: [{run: "true", undo: nothing}]
start: [{run: "true", undo: nothing}]
stop: [{run: "true", undo: nothing}]
upgrade: [{run: "true", undo: nothing}]
undeploy: [{run: "true", undo: nothing}]
backup: [{run: "true"}]
restore: [{run: "true", undo: nothing}]
check: [{run: "true"}]
EOF
sed "s/'1'/'2'/" "$work/app.yaml" >"$work/two.yaml"
sed "s/'1'/'3'/" "$work/app.yaml" >"$work/three.yaml"
for file in app two; do
	quietly towerify-app --org red add "$work/$file.yaml"
done
quietly towerify-app --org red deploy wiki@1 web1 --name used
sql "UPDATE change SET status = 'succeeded', ended = filed WHERE num = 3;
	UPDATE instance SET state = 'running'"
quietly towerify-op --org red add bob
quietly towerify-op --org red grant bob view
sshd_stop "$work/sshd"
ok 'the state is made' towerify-queue --org red show 2

# --- the verbs -----------------------------------------------------------------

# NAME|COMMAND, run with a change file as its stdin (of apps: what they add); what
# they name is red's.
cat >"$work/verbs" <<EOF
host list|towerify-host list
host list TARGETS|towerify-host list web1
host show|towerify-host show web1
host key|towerify-host key
host add|towerify-host add web9 $address --accept-host-key
host set|towerify-host set web1 label.x=y
host check|towerify-host check web1
host hold|towerify-host hold web1
host release|towerify-host release web1
host revoke|towerify-host revoke web1 --yes
host remove|towerify-host remove web1
host provision|towerify-host provision web1 -p domain=a.example -p admin=boss -p admin_password@- --yes
app list|towerify-app list
app show|towerify-app show wiki
app add|towerify-app add -
app import|towerify-app import -
app remove|towerify-app remove wiki@2
app deploy|towerify-app deploy wiki web1
app upgrade|towerify-app upgrade used web1
app start|towerify-app start used web1
app stop|towerify-app stop used web1
app backup|towerify-app backup used web1
app restore|towerify-app restore used web1
app check|towerify-app check used web1
app undeploy|towerify-app undeploy used web1
app instances|towerify-app instances
app instances TARGETS|towerify-app instances web1
queue list|towerify-queue list
queue list TARGETS|towerify-queue list web1
queue show|towerify-queue show 2
queue log|towerify-queue log 2
queue why|towerify-queue why 1
queue wait|towerify-queue wait 1 --timeout 0s
queue cancel|towerify-queue cancel 1
queue abandon|towerify-queue abandon 1 --reason gone
queue retry|towerify-queue retry 2
queue add|towerify-queue add web1 -
queue add, a login|towerify-queue add web1 - --reason login
queue plan|towerify-queue plan web1 -
queue check|towerify-queue check -
run|towerify-run
run --hosts|towerify-run --hosts web1
run --watch|towerify-run --watch
run --status|towerify-run --status
audit list|towerify-audit list
audit show|towerify-audit show 1
audit verify|towerify-audit verify
audit checkpoint|towerify-audit checkpoint
audit export|towerify-audit export
audit stats|towerify-audit stats
audit timeline|towerify-audit timeline
audit metrics|towerify-audit metrics
audit prune|towerify-audit prune --older-than 0s
audit list --tower|towerify-audit list --tower
op whoami|towerify-op whoami
op list|towerify-op list
op show, oneself|towerify-op show alice
op show|towerify-op show bob
op can, oneself|towerify-op can alice view web1
op can|towerify-op can bob view web1
op add|towerify-op add carol
op remove|towerify-op remove bob
op grant|towerify-op grant bob host
op ungrant|towerify-op ungrant bob view
op set|towerify-op set bob admin=yes
op init|towerify-op init $me
op org list|towerify-op org list
op org show|towerify-op org show red
op org add|towerify-op org add green
op org remove|towerify-op org remove red
EOF

# cell STATE ORG COMMAND…: one command of alice's on a copy of the state.
cell() {
	rm -rf "$work/now"
	cp -a "$1" "$work/now"
	TOWERIFY_STATE=$work/now
	org=$2
	shift 2
	input=$work/file.yaml
	case "$1 ${2-}" in
	'towerify-app add') input=$work/three.yaml ;;
	'towerify-queue add')
		[ "${5-}" != --reason ] || input=$work/login.yaml ;;
	'towerify-app import') input=$top/tests/data/yunohost/apps.json ;;
	esac
	status=0
	TOWERIFY_OPERATOR=alice "$@" ${org:+--org "$org"} \
		<"$input" >"$work/out" 2>"$work/err" || status=$?
	TOWERIFY_STATE=$base
}

unchanged() {
	cmp -s "$1/state.db" "$work/now/state.db"
}

# column NAME STATE ORG: what every verb says there
column() {
	echo "$1" >>"$work/columns"
	while IFS='|' read -r verb command; do
		# shellcheck disable=SC2086 # words
		cell "$2" "$3" $command
		printf '%s|%s|%s\n' "$1" "$verb" "$status" >>"$work/cells"
		case $status in
		0 | 5 | 75) continue ;;
		77) grep -Eq 'may not|gate|administrator' "$work/err" ;;
		1) grep -Eq 'no |not |unknown |there is' "$work/err" "$work/out" ;;
		*) false ;;
		esac || {
			echo "$1, $verb: $status: $(cat "$work/err")"
		} >>"$work/odd"
		unchanged "$2" || echo "$1, $verb: $status" >>"$work/wrote"
	done <"$work/verbs"
}

: >"$work/odd"
: >"$work/wrote"

# state_of ORG NAME PERMISSION SCOPE: a state where alice has that in ORG
state_of() {
	rm -rf "$work/state-$2"
	cp -a "$base" "$work/state-$2"
	TOWERIFY_STATE=$work/state-$2
	quietly towerify-op --org "$1" add alice
	[ "$3" = none ] || towerify-op -q --org "$1" grant alice "$3" \
		--on "$4" >/dev/null
	TOWERIFY_STATE=$base
}

for permission in none view deploy change host audit admin; do
	for scope in org hosts:web1 hosts:db1; do
		case $permission:$scope in
		none:hosts* | audit:hosts* | admin:hosts*) continue ;;
		esac
		name=$permission.${scope#hosts:}
		state_of red "$name" "$permission" "$scope"
		column "$name" "$work/state-$name" red
		rm -rf "$work/state-$name"
		[ "$scope" = org ] || continue
		# All of it in blue gives nothing in red.
		state_of blue "$name" "$permission" "$scope"
		column "$name --org red" "$work/state-$name" red
		column "$name in blue" "$work/state-$name" blue
		rm -rf "$work/state-$name"
	done
done

# The table: a line a verb and kind of column, "-" where nothing differs.
awk -F '|' '
NR == FNR { columns[++n] = $0; next }
{ cell[$1, $2] = $3; if (!($2 in seen)) { seen[$2] = 1; verbs[++m] = $2 } }
function line(verb, like, not,    i, text) {
	text = sprintf("%-20s", verb)
	for (i = 1; i <= n; i++)
		if (columns[i] ~ like && (not == "" || columns[i] !~ not))
			text = text sprintf(" %2s", cell[columns[i], verb])
	print text
}
function head(title, like, not,    i) {
	print "# " title
	for (i = 1; i <= n; i++)
		if (columns[i] ~ like && (not == "" || columns[i] !~ not))
			print "#   " columns[i]
}
END {
	head("own organisation", ".", " ")
	for (i = 1; i <= m; i++) line(verbs[i], ".", " ")
	head("named, but not hers", "--org red$", "")
	for (i = 1; i <= m; i++) line(verbs[i], "--org red$", "")
	head("the same names from another organisation", "in blue$", "")
	for (i = 1; i <= m; i++) line(verbs[i], "in blue$", "")
}' "$work/columns" "$work/cells" >"$work/table"

ok 'every verb says of every permission what the table says' \
	diff -u "$golden" "$work/table"
ok '... and says why' test ! -s "$work/odd" || cat "$work/odd"
ok '... and what was refused has changed nothing' test ! -s "$work/wrote"
sed 's/^/# /' "$work/odd" "$work/wrote"

# --- no word of others --------------------------------------------------------------

# With every permission in blue, red's things are like those that nobody has.
state_of blue all none
TOWERIFY_STATE=$work/state-all
towerify-op -q --org blue grant alice \
	view,deploy,change,host,audit,admin >/dev/null
TOWERIFY_STATE=$base
# timeless TEXT: what differs between any two runs
timeless() {
	sed -e 's/web1/HOST/g; s/zzz1/HOST/g; s/bob/WHO/g; s/zzz/WHO/g' \
		-e 's/wiki/APP/g; s/zzw/APP/g' \
		-e 's/\bred\b/ORG/g; s/\bzed\b/ORG/g' \
		-e 's/change 7\{0,1\}[12]/change N/g' \
		-e 's/[0-9a-f]\{64\}/HASH/g' \
		-e 's/[0-9-]*T[0-9:.]*Z/TIME/g' "$1"
}
while IFS='|' read -r verb command; do
	case $command in
	*web1* | *bob* | *red* | *wiki* | *\ [12]*) ;;
	*) continue ;;
	esac
	# shellcheck disable=SC2086
	cell "$work/state-all" blue $command
	{
		echo "$status"
		timeless "$work/out"
		timeless "$work/err"
	} >"$work/foreign"
	absent=$(echo "$command" | sed -e 's/web1/zzz1/g; s/bob/zzz/g; s/wiki/zzw/g' \
		-e 's/\bred\b/zed/g; s/queue \([a-z]*\) \([12]\)/queue \1 7\2/')
	# shellcheck disable=SC2086
	cell "$work/state-all" blue $absent
	{
		echo "$status"
		timeless "$work/out"
		timeless "$work/err"
	} >"$work/absent"
	ok "$verb: another's is as what does not exist" \
		diff -u "$work/absent" "$work/foreign"
done <"$work/verbs"
for verb in host\ list app\ list queue\ list audit\ list; do
	# shellcheck disable=SC2086
	cell "$work/state-all" red towerify-$verb
	cp "$work/err" "$work/foreign"
	foreign=$status
	# shellcheck disable=SC2086
	cell "$work/state-all" zed towerify-$verb
	ok "$verb: another organisation is as one that does not exist" \
		test "$foreign $(sed 's/red/zed/' "$work/foreign")" = \
		"$status $(cat "$work/err")"
done
finish
