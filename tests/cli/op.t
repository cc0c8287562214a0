#!/bin/sh
# op.t - towerify-op: who is calling
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

towerify-host key >/dev/null

try towerify-op whoami
is 'whoami: for people' 0 "OPERATOR:      $me
ORGANISATION:  default
ADMINISTRATOR: yes
STATE:         $TOWERIFY_STATE" ''

try towerify-op whoami --tsv
is '... as TSV' 0 "operator	org	admin	state
$me	default	true	$TOWERIFY_STATE" ''

try towerify-op whoami -J
json '... as JSON' '.schema == 1 and .org == "default" and .admin == true'
json '... whole' 'keys == ["admin", "operator", "org", "schema", "state"]'

try towerify-op whoami -o org,operator -n
is '... some of it, as it is' 0 "default${newline}$me" ''

try towerify-op whoami you
is 'whoami takes no argument' 2 '' 'towerify-op: too many arguments
hint: usage: towerify-op whoami [options]'

# What cannot be written is read all the same.
chmod 500 "$TOWERIFY_STATE"
try towerify-op whoami -o operator --tsv -n
chmod 700 "$TOWERIFY_STATE"
is 'whoami writes nothing' 0 "$me" ''

# --- init ------------------------------------------------------------------------------

try towerify-op init "$me" --state "$work/new"
is 'init: a tower and its administrator' 0 '' \
	"$me is the administrator of $work/new"
try towerify-op whoami --state "$work/new" --tsv -n
is '... who may use it' 0 "$me	default	true	$work/new" ''
try towerify-op init "$me" --state "$work/new"
is '... again: it stays so' 0 '' "$me is the administrator of $work/new"
other=$(awk -F : -v me="$me" '$1 != me { print $1; exit }' /etc/passwd)
try towerify-op init "$other" --state "$work/new"
is '... another one is refused' 1 '' \
	'towerify-op: this tower has another administrator already'
if command -v sqlite3 >/dev/null; then
	sqlite3 "$work/new/state.db" "
		INSERT INTO operator (id, login, created) VALUES (9, '$other', 1);
		INSERT INTO member SELECT id, 9, 1 FROM org"
	try towerify-op init "$other" --state "$work/new"
	is '... an operator who is none, too' 1 '' \
		'towerify-op: this tower has another administrator already'
else
	skip '... an operator who is none, too' 'no sqlite3'
fi
try towerify-op init 'a b' --state "$work/newer"
is 'init: no login' 2 '' "towerify-op: 'a b' is not a login"
try towerify-op init no-such-user --state "$work/newer"
is 'init: nobody' 1 '' "towerify-op: there is no user 'no-such-user'"
ok '... nothing is made' test ! -e "$work/newer"
try towerify-op init
is 'init: whom?' 2 '' 'towerify-op: too few arguments
hint: usage: towerify-op init [options] LOGIN'
finish
