#!/bin/sh
# config.t - the configuration file: shown, refused, in effect
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

file=$work/towerify.yaml

config() {	# config: the file, from stdin
	cat >"$file"
	TOWERIFY_CONFIG=$file
}

value_of() {
	towerify-op config --json |
		jq -r --arg key "$1" '.settings[] | select(.key == $key) |
			"\(.value) \(.from) \(.line)"'
}

# --- shown --------------------------------------------------------------------

try towerify-op config --tsv -n -o key,value,from
is 'without a file all is default, and no state is made' 0 \
	"jobs	256	default
start	no	default
connect-timeout	10s	default
login-timeout	30s	default
silence-timeout	30s	default
retry-first	5s	default
retry-most	5m	default
output-limit	1M	default
output-total	4G	default
retention	90d	default
mail		default
webhook		default
hooks		default
hook-timeout	30s	default" ''
ok '... no state' test ! -e "$work/state"

config <<'END'
# a comment
jobs: 7

mail: root
END
ok 'what the file says, and where' test "$(value_of jobs; value_of mail
	value_of start)" = "7 $file 2
root $file 4
no default null"
try towerify-op config -o key,value,default --tsv -n
like 'the default is shown beside it' 0 "jobs	7	256$newline*" ''
try towerify-op config --list-columns
like 'its columns are listed' 0 '*default*text*' ''

: >"$file"
ok 'an empty file says nothing' test "$(value_of jobs)" = '256 default null'
ok 'the package brings a good one' env \
	"TOWERIFY_CONFIG=$top/share/towerify.yaml" towerify-op config
ok '... in which filing starts a pass' test "$(
	TOWERIFY_CONFIG=$top/share/towerify.yaml value_of start)" = \
	"yes $top/share/towerify.yaml 7"

every_key() {
	towerify-op config --tsv -n -o key,default >"$work/keys"
	while IFS='	' read -r key default; do
		grep -qx "\.It Ic $key" "$top/man/towerify.yaml.5" ||
			echo "towerify.yaml.5 lacks $key"
		grep -q "^\(# \)\{0,1\}$key: ." "$top/share/towerify.yaml" ||
			echo "the example lacks $key"
		[ -z "$default" ] || [ "$key" = start ] ||
			grep -qx "# $key: $default" "$top/share/towerify.yaml" ||
			echo "the example has another $key"
	done <"$work/keys" >"$work/lacks"
	cat "$work/lacks"
	[ ! -s "$work/lacks" ]
}
ok 'every key is in the page and in the example, with its default' every_key

# --- refused ------------------------------------------------------------------

config <<'END'
jbos: 3
jobs: many
retention: 90
webhook: secret-token
END
wrong="$file:1:1: unknown key 'jbos' in the file
hint: did you mean 'jobs'?
$file:2:7: jobs must be a whole number, not 'many'
$file:3:12: retention must be a duration, not '90'
hint: a duration needs a unit: 90s, 10m, 2h
$file:4:10: webhook must be an address of the web
hint: such as https://example.org/towerify"
try towerify-op config
is 'all errors of a file are told' 78 '' "$wrong"
try towerify-host list
is '... by each tool, which then does nothing' 78 '' "$wrong"
try towerify-run
is '... a pass too' 78 '' "$wrong"
ok '... no state was made' test ! -e "$work/state"

rm "$file"
try towerify-host list
is 'a file that was named must be there' 78 '' \
	"towerify-host: $file: cannot open: No such file or directory"
mkdir "$file"
try towerify-op config
like '... and be a file' 78 '' "towerify-op: $file: *"
rmdir "$file"
ln -s /dev/zero "$file"
try towerify-op config
like '... no device' 78 '' "towerify-op: $file: *"
rm "$file"
head -c 1100000 /dev/zero | tr '\0' '#' >"$file"
try towerify-op config
like '... of at most a MiB' 78 '' '*larger than*'
rm "$file"

# --- behind a gate ------------------------------------------------------------

TOWERIFY_CONFIG=
towerify-op -q add "$me"
towerify-op -q add bob
config <<'END'
jobs: wrong
END
try env TOWERIFY_OPERATOR=bob towerify-op config
is 'behind a gate it is for administrators' 77 '' \
	'towerify-op: bob is no administrator of the tower'
try env "TOWERIFY_OPERATOR=$me" towerify-op config --tsv -n -o key,value
like '... and TOWERIFY_CONFIG does not count' 0 "jobs	256$newline*" ''

# --- in effect ----------------------------------------------------------------

TOWERIFY_CONFIG=
cat >"$work/change.yaml" <<'END'
towerify: 1
title: it prints
steps:
  - name: much
    run: head -c 9000 /dev/zero | tr '\0' x
    undo: nothing
END
tower_sshd
tower_host h1
config <<'END'
jobs: 1
output-limit: 4K
END
try towerify-queue add h1 "$work/change.yaml" --run
is 'a change that prints more than output-limit' 0 1 ''
ok '... so much of it is kept' test \
	"$(sql 'SELECT sum(length(data)) FROM output')" -le 4200
ok '... and the rest is counted' test \
	"$(sql 'SELECT sum(out_cut) FROM step')" -ge 4900
config <<'END'
retention: forever
END
sql 'UPDATE change SET filed = filed - 90000000000,
	ended = ended - 90000000000'
try towerify-queue add h1 "$work/change.yaml"
towerify-run
ok 'retention: for ever is for ever' test \
	"$(sql 'SELECT count(DISTINCT change_id) FROM output')" = 2
config <<'END'
retention: 1d
retry-first: 30m
retry-most: 1h
END
towerify-queue -q add h1 "$work/change.yaml" >/dev/null
towerify-run
ok '... a day is a day' test \
	"$(sql 'SELECT min(change_id) FROM output')" = 2
sshd_stop "$work/sshd"
towerify-queue -q add h1 "$work/change.yaml" >/dev/null
try towerify-run
ok 'retry-first: the first pause' test \
	"$(sql 'SELECT next_attempt - last_error_at >= 1350000 FROM host')" = 1
finish
