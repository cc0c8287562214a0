#!/bin/sh
# op.t - towerify-op: who is calling, organisations, operators, grants
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

op=towerify-op
towerify-host key >/dev/null

# as LOGIN COMMAND…: the command as another operator, through a gate
as() {
	(
		TOWERIFY_OPERATOR=$1
		export TOWERIFY_OPERATOR
		shift
		"$@"
	)
}

# --- whoami ------------------------------------------------------------------------------

try $op whoami
is 'whoami: for people' 0 "OPERATOR:      $me
ORGANISATION:  default
ADMINISTRATOR: yes
STATE:         $TOWERIFY_STATE" ''
try $op whoami --tsv
is '... as TSV' 0 "operator	org	admin	state
$me	default	true	$TOWERIFY_STATE" ''
try $op whoami -J
json '... as JSON' '.schema == 1 and .org == "default" and .admin == true'
json '... whole' 'keys == ["admin", "operator", "org", "schema", "state"]'
try $op whoami -o org,operator -n
is '... some of it, as it is' 0 "default${newline}$me" ''
try $op whoami you
is 'whoami takes no argument' 2 '' 'towerify-op: too many arguments
hint: usage: towerify-op whoami [options]'

# What cannot be written is read all the same.
chmod 500 "$TOWERIFY_STATE"
try $op whoami -o operator --tsv -n
chmod 700 "$TOWERIFY_STATE"
is 'whoami writes nothing' 0 "$me" ''

# --- init ------------------------------------------------------------------------------

try $op init "$me" --state "$work/new"
is 'init: a tower and its administrator' 0 '' \
	"$me is the administrator of $work/new"
try $op whoami --state "$work/new" --tsv -n
is '... who may use it' 0 "$me	default	true	$work/new" ''
try $op grants --state "$work/new" --tsv -n -o operator,permission,hosts,app
is '... with every permission' 0 "$(for permission in view deploy change host \
	audit admin; do printf '%s\t%s\t\t\n' "$me" "$permission"; done)" ''
try $op init "$me" --state "$work/new"
is '... again: it stays so' 0 '' "$me is the administrator of $work/new"
other=$(awk -F : -v me="$me" '$1 != me { print $1; exit }' /etc/passwd)
try $op init "$other" --state "$work/new"
is '... another one is refused' 1 '' \
	'towerify-op: this tower has another administrator already'
quietly $op add "$other" --state "$work/new"
try $op init "$other" --state "$work/new"
is '... who is an operator, too' 1 '' \
	'towerify-op: this tower has another administrator already'
try $op init 'a b' --state "$work/newer"
is 'init: no login' 2 '' "towerify-op: 'a b' is not a login"
try $op init no-such-user --state "$work/newer"
is 'init: nobody' 1 '' "towerify-op: there is no user 'no-such-user'"
ok '... nothing is made' test ! -e "$work/newer"
try $op init
is 'init: whom?' 2 '' 'towerify-op: too few arguments
hint: usage: towerify-op init [options] LOGIN'

# --- add, list, show ---------------------------------------------------------------------

try $op add alice
is 'add: an operator who may do nothing yet' 0 '' "alice may do nothing yet \
in organisation 'default': see towerify-op grant"
try $op add alice
is '... again' 0 '' "alice is an operator of organisation 'default' already"
try $op add bob -q
is '... in silence' 0 '' ''
try $op add 'a b'
is 'add: no login' 2 '' "towerify-op: 'a b' is not a login"
try $op add ../x
is '... nor this' 2 '' "towerify-op: '../x' is not a login"
try $op add tower
is '... nor who acts when no person does' 2 '' "towerify-op: 'tower' can't be \
an operator: it is who acts when no person does"
try $op add
is 'add: whom?' 2 '' 'towerify-op: too few arguments
hint: usage: towerify-op add [options] LOGIN'
try $op list
like 'list: for people' 0 "OPERATOR *ADMINISTRATOR *SINCE *GRANTS
alice *no *20??-??-?? ??:??:?? *0
bob *no *
$me *yes *6" ''
try $op list --tsv -n -o operator,admin,grants
is '... as TSV' 0 "alice	false	0
bob	false	0
$me	true	6" ''
try $op list -J
json '... as JSON' '.schema == 1 and [.operators[] | keys] == [range(3) |
	["admin", "grants", "operator", "since"]] and
	(.operators[0].since | test("^20.*Z$")) and .operators[0].grants == 0'
try $op list -o login
is 'list: an unknown column' 2 '' "towerify-op: unknown column 'login'
hint: --list-columns prints the columns"
try $op show alice
like 'show: without grants' 0 "Operator:      alice
Administrator: no
Since:         20??-??-?? ??:??:??" ''
try $op show carol
is 'show: nobody' 1 '' \
	"towerify-op: no operator 'carol'"

# --- grant -------------------------------------------------------------------------------

try $op grant alice change,host --on 'web*' --until +2h
is 'grant prints numbers' 0 "7${newline}8" ''
try sh -c "$op grant alice view | cat"
is '... on a pipe' 0 9 ''
try $op grant alice deploy --on hosts:web1,@role=front --on app:shop
is 'grant: hosts and app' 0 10 ''
try $op grant alice change --on hosts:'web*'
is 'grant: the same again' 0 7 ''
try $op grants alice
is 'grants: for people' 0 "NUM OPERATOR MAY    HOSTS            APP  UNTIL \
              STATE
  7 alice    change web*             -    -                   live
  8 alice    host   web*             -    $(TZ=UTC date -d \
	"$($op grants alice --tsv -n -o num,until | sed -n 's/^8	//p')" \
	'+%Y-%m-%d %H:%M:%S') live
  9 alice    view   -                -    -                   live
 10 alice    deploy web1,@role=front shop -                   live" ''
try $op grants alice --tsv -n -o num,permission,hosts,app,until,by
like '... as TSV: the new end holds' 0 "7	change	web*			$me
8	host	web*		20*Z	$me
9	view				$me
10	deploy	web1,@role=front	shop		$me" ''
try $op grants -J
json '... as JSON' '[.grants[] | select(.operator == "alice") | .num] ==
	[7, 8, 9, 10] and (.grants | length) == 10'
json '... typed' '.grants[] | select(.num == 1) | keys == ["app", "by", "created", "hosts",
	"num", "operator", "permission", "scope", "state", "until"] and
	.scope == "org" and
	.hosts == null and (.created | test("^20.*Z$"))'
try $op show alice
like 'show: with grants' 0 "Operator:      alice
Administrator: no
Since:         20*

NUM MAY    HOSTS            APP  UNTIL               STATE
  7 change web\*             -    -                   live
*" ''
try $op show alice -J
json '... as JSON' '.schema == 1 and .operator == "alice" and
	.admin == false and [.grants[].num] == [7, 8, 9, 10]'
try $op show alice --tsv -n -o operator,admin
is '... some of it' 0 'alice	false' ''
try $op list --tsv -n -o operator,grants
like 'list counts them' 0 'alice	4*' ''

try $op grant alice chagne
is 'grant: an unknown permission' 2 '' "towerify-op: unknown permission \
'chagne'
hint: did you mean 'change'?"
try $op grant alice root
is '... unlike any' 2 '' "towerify-op: unknown permission 'root'
hint: one of view, deploy, change, host, audit, admin"
try $op grant alice view,
is '... an empty one' 2 '' "towerify-op: unknown permission ''
hint: one of view, deploy, change, host, audit, admin"
try $op grant alice change --on 'web[3-1]'
is 'grant: a bad scope' 2 '' \
	"towerify-op: bad scope: bad target 'web[3-1]': the range runs backwards
hint: org, hosts:TARGETS or app:PATTERN"
try $op grant alice change --on host:web1
is '... a bad kind' 2 '' "towerify-op: bad scope: bad target 'host:web1': not a \
name
hint: org, hosts:TARGETS or app:PATTERN"
try $op grant alice change --on ''
is '... an empty one' 2 '' 'towerify-op: bad scope: no targets given
hint: org, hosts:TARGETS or app:PATTERN'
try $op grant alice deploy --on app:a/b
is '... a bad app' 2 '' "towerify-op: bad scope: 'a/b' is not a name or a \
pattern of apps"
try $op grant alice change --on web1 --on web2
is '... two of a kind' 2 '' 'towerify-op: the scope names hosts twice'
try $op grant alice change --on app:shop
is 'grant: change knows no apps' 2 '' \
	'towerify-op: change takes no apps, only deploy does'
try $op grant alice host,audit --on web9
is 'grant: audit is for the whole' 2 '' "towerify-op: audit holds for the \
organisation: it takes no hosts and no apps"
try $op grants alice --tsv -n -o hosts
ok '... and nothing of that was given' sh -c "! grep -q web9 '$work/out'"
try $op grant carol view
is 'grant: nobody' 1 '' "towerify-op: no operator 'carol'"
try $op grant alice view --until yesterday
like 'grant: a bad time' 2 '' "towerify-op: bad time 'yesterday': wanted *"
try $op grant alice view --until 2020-01-01T00:00:00Z
is 'grant: a time that has passed' 2 '' \
	'towerify-op: --until 2020-01-01T00:00:00Z: that time has passed'
try $op grant alice
is 'grant: what?' 2 '' 'towerify-op: too few arguments
hint: usage: towerify-op grant [options] LOGIN PERMISSION,...'

# --- can -----------------------------------------------------------------------------------

tower_sshd
tower_host web1 --label role=front
tower_host db1
try $op can alice change web1
is 'can: yes, and why' 0 \
	'grant 7 allows it on web1: change on hosts:web*' ''
try $op can alice change web1,db1
is 'can: not on all' 1 'grant 7 allows it on web1: change on hosts:web*
no grant allows it on db1' ''
try $op can alice audit org
is 'can: not at all' 1 'no grant allows it
alice has no grant of audit' ''
try $op can alice deploy hosts:web1 app:shop
like 'can: an app' 0 '*grant 10*' ''
try $op can alice deploy hosts:web1 app:other
is '... another one' 1 'no grant allows it on web1
grant 10 does not, it is for other apps: deploy on hosts:web1,@role=front '\
'app:shop' ''
try $op can alice change web1 -J
json 'can -J' '.allowed == true and .operator == "alice" and
	.permission == "change" and .scope == "hosts:web1" and
	.why == "grant 7 allows it on web1: change on hosts:web*"'
try $op can alice audit org -J
json '... no' '.allowed == false and .scope == "org"'
ok '... with its exit status' test "$status" -eq 1
try $op can alice change web1 --tsv -n -o allowed
is '... as TSV' 0 true ''
try sh -c "$op can alice change web1 | cat"
like 'can: on a pipe' 0 '*grant 7*' ''
try $op can alice chagne web1
is 'can: an unknown permission' 2 '' "towerify-op: unknown permission \
'chagne'
hint: did you mean 'change'?"
try $op can carol change web1
is 'can: nobody' 1 '' "towerify-op: no operator 'carol'"
try $op can alice change web9
is 'can: no such host' 1 '' 'towerify-op: unknown host: web9'
try $op can alice change
is 'can: where?' 2 '' 'towerify-op: too few arguments
hint: usage: towerify-op can [options] LOGIN PERMISSION SCOPE...'

# --- as somebody else -----------------------------------------------------------------------

try as alice $op whoami --tsv -n -o operator,admin
is 'behind a gate it is somebody else' 0 'alice	false' ''
try as alice $op show alice -o operator --tsv -n
is '... who sees themselves' 0 alice ''
try as alice $op grants alice --tsv -n -o num
is '... and their grants' 0 "7${newline}8${newline}9${newline}10" ''
try as alice $op can alice change web1
like '... and what they can' 0 '*grant 7*' ''
for verb in list 'show bob' 'add carol' 'remove bob' \
	'grant alice admin' 'ungrant bob view' 'can bob view org' \
	'grants bob'; do
	# shellcheck disable=SC2086 # words
	try as alice $op $verb
	is "... but not: $verb" 77 '' \
		"towerify-op: alice may not admin in organisation 'default'
hint: ask an administrator for: towerify-op grant alice admin"
done
try as alice $op grants
is "... nor everybody's grants" 77 '' \
	"towerify-op: alice may not admin in organisation 'default'
hint: yours are: towerify-op grants alice"
for verb in 'org add acme' 'org remove default' 'set alice admin=yes'; do
	# shellcheck disable=SC2086
	try as alice $op $verb
	is "... nor: $verb" 77 '' \
		'towerify-op: alice is not an administrator of the tower'
done
try as alice $op init alice
is '... nor init' 77 '' "towerify-op: init can't be used behind a gate"
try as carol $op whoami
is 'an unknown operator' 77 '' \
	'towerify-op: carol is not an operator of this tower'

# --- ungrant -----------------------------------------------------------------------------------

try $op ungrant alice change
is 'ungrant: not on the whole' 1 '' "towerify-op: alice has no grant of \
change on org
hint: alice has change on: hosts:web*; name one with --on, or give --all"
try $op ungrant alice view
is 'ungrant says what is left' 0 '' "alice may still view, by grant 7: change \
on hosts:web*
alice may still view, by grant 8: host on hosts:web*
alice may still view, by grant 10: deploy on hosts:web1,@role=front app:shop"
try $op ungrant alice change --on 'web*'
is 'ungrant: of a scope' 0 '' ''
try $op can alice change web1
like '... it is gone' 1 '*' ''
try $op ungrant alice deploy,host --on 'web*'
is 'ungrant: one of two is not there' 1 '' "towerify-op: alice has no grant of \
deploy on hosts:web*
hint: alice has deploy on: hosts:web1,@role=front app:shop; name one with --on, \
or give --all"
try $op grants alice --tsv -n -o num
is '... so both stay' 0 "8${newline}10" ''
try $op ungrant alice
is 'ungrant: what?' 2 '' 'towerify-op: which permission?
hint: name it after alice, or give --all for every grant'
try $op ungrant alice host --all --on 'web*'
is 'ungrant: --all or --on' 2 '' 'towerify-op: --all and --on exclude each other'
try $op ungrant alice host --all
is 'ungrant: whatever the scope' 0 '' ''
try $op ungrant alice --all
is 'ungrant: everything' 0 '' ''
try $op grants alice -n
is '... there is nothing left' 0 '' ''
try $op ungrant alice --all
is '... to take away' 1 '' \
	"towerify-op: alice has no grants in organisation 'default'"
try $op ungrant alice chagne
is 'ungrant: an unknown permission' 2 '' "towerify-op: unknown permission \
'chagne'
hint: did you mean 'change'?"
try $op ungrant carol view
is 'ungrant: nobody' 1 '' "towerify-op: no operator 'carol'"
try $op ungrant "$me" admin
is 'ungrant: the last admin' 1 '' "towerify-op: $me is the only one who may \
admin in organisation 'default' for good
hint: grant it to somebody else first"

# --- set, remove ----------------------------------------------------------------------------------

try $op set alice admin=yes
is 'set: an administrator of the tower' 0 '' ''
try $op list --tsv -n -o operator,admin
is '... it is one' 0 "alice	true
bob	false
$me	true" ''
try $op set alice admin=no
is '... no more' 0 '' ''
try $op set "$me" admin=no
is '... but one must remain' 1 '' \
	"towerify-op: $me is the only administrator of the tower"
try $op set nobody-here admin=yes
is 'set: who is no operator does not become one' 1 '' \
	"towerify-op: no operator 'nobody-here'"
try $op show nobody-here
is '... indeed' 1 '' "towerify-op: no operator 'nobody-here'"
try $op set alice admin=maybe
is 'set: neither yes nor no' 2 '' \
	"towerify-op: 'admin=maybe' can't be set: wanted admin=yes or admin=no"
try $op set alice shell=sh
is 'set: something else' 2 '' \
	"towerify-op: 'shell=sh' can't be set: wanted admin=yes or admin=no"
try $op set 'a b' admin=yes
is 'set: no login' 2 '' "towerify-op: 'a b' is not a login"
try $op remove bob
is 'remove' 0 '' ''
try $op remove bob
is '... is gone' 1 '' \
	"towerify-op: no operator 'bob'"
try as bob $op whoami
is '... from the tower, too' 77 '' \
	'towerify-op: bob is not an operator of this tower'
try $op remove "$me"
is 'remove: the last with admin' 1 '' "towerify-op: $me is the only one who may \
admin in organisation 'default' for good
hint: grant it to somebody else first"

# --- organisations -----------------------------------------------------------------------------

try $op org add acme --admin alice
is 'org add' 0 '' "alice administers organisation 'acme', and gets its key \
by: towerify-host key --org acme"
ok '... with a key of its own' test -s "$TOWERIFY_STATE/keys/acme/id_ed25519.pub"
try as alice towerify-host key --org acme
is '... which it prints' 0 \
	"$(cat "$TOWERIFY_STATE/keys/acme/id_ed25519.pub")" ''
try $op grants --org acme --tsv -n -o num,operator,permission
is '... and its administrator has all permissions' 0 "1	alice	view
2	alice	deploy
3	alice	change
4	alice	host
5	alice	audit
6	alice	admin" ''
try $op org add acme
is 'org add: the name is taken' 1 '' \
	"towerify-op: there is an organisation 'acme' already"
try $op org add 'a c'
is 'org add: no name' 2 '' \
	"towerify-op: 'a c' is not a name for an organisation"
try $op org add beta --admin 'a b'
is 'org add: no login' 2 '' "towerify-op: 'a b' is not a login"
ok '... nothing is made' test ! -e "$TOWERIFY_STATE/keys/beta"
try $op org add beta --admin tower
is '... nor the name of the tower itself' 2 '' "towerify-op: 'tower' can't be \
an operator: it is who acts when no person does"
try $op add alice -q --state "$work/keys/of/state"
is 'a state below a directory keys' 0 '' ''
ok '... has its key' test -s "$work/keys/of/state/keys/default/id_ed25519"
quietly $op org add north --state "$work/two"
quietly $op org add south --state "$work/two"
quietly $op add dora --org north --state "$work/two"
quietly $op add dora --org south --state "$work/two"
try env TOWERIFY_OPERATOR=dora TOWERIFY_STATE="$work/two" $op org list
is 'which organisation? the ones to name' 1 '' \
	"towerify-op: organisation 'default' not found
hint: name one of yours with --org: north, south"
mkdir -p "$TOWERIFY_STATE/keys/beta"
echo old >"$TOWERIFY_STATE/keys/beta/id_ed25519"
try $op org add beta -q
is 'org add: a key of old' 0 '' ''
ok '... is not used' sh -c "! grep -q old \
	'$TOWERIFY_STATE/keys/beta/id_ed25519'"
try $op org remove beta
is '... and goes with the organisation' 0 '' ''
ok '... from the disk, too' test ! -e "$TOWERIFY_STATE/keys/beta"

try $op org list
like 'org list: for people' 0 "NAME *CREATED *OPERATORS *HOSTS *PENDING
acme *20* 1 *0 *0
default *20* 2 *2 *0" ''
try $op org list --tsv -n -o name,operators,hosts,pending
is '... as TSV' 0 "acme	1	0	0
default	2	2	0" ''
try $op org list -J
json '... as JSON' '.schema == 1 and [.organisations[].name] ==
	["acme", "default"] and (.organisations[0] | keys) == ["chain",
	"created", "hosts", "name", "operators", "pending"]'
try $op org show acme
like 'org show' 0 "NAME:      acme
CREATED:   20??-??-?? ??:??:??
OPERATORS: 1
HOSTS:     0
PENDING:   0
CHAIN:     [1-9]*" ''
try $op org show acme -J
json '... as JSON' '.schema == 1 and .name == "acme" and .operators == 1'
try $op org show nil
is 'org show: none' 1 '' "towerify-op: organisation 'nil' not found"
$op org add beta -q
try as alice $op org list --tsv -n -o name
is 'org list: ones own' 0 "acme${newline}default" ''
try as alice $op org show beta
is "org show: another's is not found" 1 '' \
	"towerify-op: organisation 'beta' not found"
try as alice $op list --org beta
is '... by --org neither' 1 '' \
	"towerify-op: organisation 'beta' not found"
try as alice $op list --org acme --tsv -n -o operator,admin,grants
is 'its administrator sees its operators' 0 'alice	false	6' ''
try as alice $op grant alice view --org acme --on 'x*'
is '... and grants, by numbers of its own' 0 7 ''
try $op org
is 'org: what?' 2 '' "towerify-op: unknown verb 'org'
hint: after 'org' comes one of: add, list, show, remove"
try $op org rmeove acme
is '... the nearest one is offered' 2 '' "towerify-op: unknown verb 'org rmeove'
hint: did you mean 'org remove'?"
try $op org frobnicate
is '... or all of them' 2 '' "towerify-op: unknown verb 'org frobnicate'
hint: after 'org' comes one of: add, list, show, remove"
try $op org remove default
is 'org remove: it has hosts' 1 '' 'towerify-op: default: has 2 hosts'
try $op org remove acme
is 'org remove' 0 '' ''
ok '... with its key' test ! -e "$TOWERIFY_STATE/keys/acme"
try $op org show acme
is '... it is gone' 1 '' "towerify-op: organisation 'acme' not found"
try $op org remove acme
is '... twice' 1 '' "towerify-op: organisation 'acme' not found"
try $op org add acme -q
is '... and its name is free' 0 '' ''
try $op list --org acme --tsv -n -o operator
is '... for other operators' 0 "$me" ''

# --- grants that end ------------------------------------------------------------------------

$op grant alice view --until "$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%S.999Z)" \
	>/dev/null
gone() {
	$op grants alice --tsv -n -o state | grep -qx over
}
ok 'a grant ends by itself' until_ gone
try $op can alice view org
like '... allows nothing then' 1 '*' ''
try $op list --tsv -n -o operator,grants
like '... and does not count' 0 'alice	0*' ''
finish
