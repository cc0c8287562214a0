#!/bin/sh
# french.t - people are spoken to in their language; programs, the state and
# exit statuses know nothing of it
#
# A locale that is C in all but its name: that has French, and needs no
# machine that has French.
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

c=
for dir in /usr/lib/locale/C.utf8 /usr/lib/locale/C.UTF-8; do
	[ ! -d "$dir" ] || c=$dir
done
if [ -z "$c" ] || ! command -v msgfmt >/dev/null; then
	echo '1..0 # SKIP no locale C.UTF-8 to copy, or no msgfmt'
	exit 0
fi
mkdir "$work/locale"
cp -R "$c" "$work/locale/fr_FR.utf8"

# french COMMAND…: with the tools in French.
french() {
	LOCPATH=$work/locale LC_ALL=fr_FR.UTF-8 "$@"
}
nb=$(printf '\302\240')

# --- people ---------------------------------------------------------------------

try french towerify-queue frobnicate
is 'errors and hints are French' 2 '' \
	"towerify-queue: verbe «${nb}frobnicate${nb}» inconnu
conseil${nb}: towerify-queue --help en dit plus"

try french towerify-queue --help
like 'so is help' 0 "Utilisation${nb}: towerify-queue *
Verbes${nb}:
*  cancel ID...            arrêter et défaire
*Options communes${nb}:
*" ''
ok '... within 80 columns' test "$(wc -L <"$work/out")" -le 80

try french towerify-queue list --list-columns
like 'and the headings and helps of columns' 0 "NOM *TYPE *DÉFAUT *AIDE*
id *int *oui *numéro du changement
*" ''

try french towerify-host show web9
is 'a state that is not there yet' 78 '' \
	"towerify-host: $TOWERIFY_STATE${nb}: il n'y a pas encore d'état ici
conseil${nb}: \`towerify-host add\` le crée"

cat >"$work/bad.yaml" <<'END'
towerify: 1
steps:
  - name: [a]
    run: true
  - {name: b, run: true, timeout: 3}
END
try french towerify-queue check "$work/bad.yaml"
is 'faults of files, and the parts of their sentences' 65 '' \
	"$work/bad.yaml:3:11: name doit être du texte, non une liste
$work/bad.yaml:5:35: timeout doit être une durée, non '3'
conseil${nb}: une durée demande une unité${nb}: 90s, 10m, 2h"

try french towerify-host list --state "$work/none/such"
like 'words of the system come after ours' 78 '' \
	"towerify-host: $work/none/such${nb}: *"

LC_ALL=C.UTF-8
for locale in C POSIX C.UTF-8 fr_FR.ISO-8859-1 xx_XX.UTF-8; do
	try env LOCPATH="$work/locale" LC_ALL="$locale" towerify-queue frob
	like "$locale: English" 2 '' "towerify-queue: unknown verb 'frob'*"
done

try env LOCPATH="$work/locale" LC_ALL= LANG=C.UTF-8 \
	LC_MESSAGES=fr_FR.UTF-8 towerify-queue frob
like 'LC_MESSAGES alone' 2 '' "towerify-queue: verbe*"
try env LOCPATH="$work/locale" LC_ALL=C.UTF-8 LANGUAGE=fr towerify-queue frob
like 'LANGUAGE counts for nothing in C' 2 '' "towerify-queue: unknown*"

cat >"$work/tower.yaml" <<'END'
mail: me, -you
output-limit: 12X
END
try env TOWERIFY_CONFIG="$work/tower.yaml" LOCPATH="$work/locale" \
	LC_ALL=fr_FR.UTF-8 towerify-op config
is 'faults of the configuration' 78 '' \
	"$work/tower.yaml:1:7: mail doit être des adresses séparées par des virgules
conseil${nb}: par exemple root, ops@example.org
$work/tower.yaml:2:15: output-limit doit être une taille, non '12X'
conseil${nb}: par exemple 512K, 4M, 1G"
try french towerify-op config -o key,from,about
like 'and what it is' 0 "CLÉ *ORIGINE *OBJET
jobs *défaut *nombre d'hôtes à l'œuvre à la fois
*" ''

# --- programs ---------------------------------------------------------------------

cat >"$work/good.yaml" <<'END'
towerify: 1
title: a page
params:
  n: {type: integer, min: 3}
steps:
  - {name: one, run: "true", undo: nothing}
END
quietly french towerify-op init "$me"
quietly towerify-op add bob
quietly towerify-op add zoe

# same TEXT COMMAND…: the same bytes and the same end in both languages.
same() {
	what=$1
	shift
	try "$@"
	cp "$work/out" "$work/out.c"
	was=$status
	try french "$@"
	[ "$status" = "$was" ] || status="$status, not $was"
	ok "$what" sh -c "[ '$status' = '$was' ] && cmp '$work/out' '$work/out.c'"
}
for tool in host app op queue run audit; do
	same "towerify-$tool --dump-cli" "towerify-$tool" --dump-cli
done
same 'columns as JSON' towerify-queue list --list-columns --json
same 'columns as TSV' towerify-host list --list-columns --tsv
same 'a list as JSON' towerify-op grants --json
same 'a list as TSV' towerify-op grants --tsv
same 'an explanation as JSON' towerify-op can "$me" view org --json
same '... and one that says no' towerify-op can bob view org --json
same 'the audit' towerify-audit export
same 'the configuration as JSON' towerify-op config --json
same 'the line for checks' towerify-run --status
same 'metrics' towerify-audit metrics
same 'an end with 2' towerify-queue add web1
same 'an end with 65' towerify-queue check "$work/bad.yaml"
same 'an end with 1' towerify-host show web9

try french towerify-audit timeline --since 1h
like 'a picture is for people' 0 "*Ce qui a été exécuté, où et quand${nb}: du *
*>réussi <*>défait <*>rien n'a été exécuté pendant ce temps<*" ''
try french towerify-op grants "$me" -o permission,state
like 'the same list for people' 0 "PEUT *ÉTAT
view *en vigueur
*" ''
try french towerify-op can "$me" view org
is 'the same explanation for people' 0 \
	"l'autorisation 1 le permet${nb}: view sur org" ''

# --- what is stored ---------------------------------------------------------------

# The same acts of two operators, by a speaker of each language.
acts() {
	speak=$1
	login=$2
	quietly "$speak" towerify-op grant "$login" view,deploy
	quietly "$speak" towerify-op ungrant "$login" deploy --all
	quietly "$speak" towerify-op remove "$login"
}
english() {
	"$@"
}
acts french bob
acts english zoe
# What the audit says of LOGIN, without what differs by itself.
said_of() {
	towerify-audit list -n -o action,detail --tsv | grep "\"$1\"" |
		sed -e "s/$1/LOGIN/g" -e 's/"[0-9]*"/"N"/g' -e 's/[0-9]\{5,\}/N/g'
}
said_of bob >"$work/bob"
said_of zoe >"$work/zoe"
ok 'acts are recorded' test -s "$work/zoe"
ok '... the same in French' cmp "$work/bob" "$work/zoe"

# What goes wrong in a French pass is stored in English and shown as stored; what
# is said of it on the spot is French.
tower_sshd
tower_host h1
quietly towerify-queue add h1 "$work/good.yaml" -p n=3
sshd_stop "$work/sshd"
quietly french towerify-run
try towerify-host show h1 --json
json 'the error of a host' \
	'.last_error | startswith("cannot connect to 127.0.0.1 port ")'
same '... is the same for programs' towerify-host show h1 --json
try french towerify-queue why 1
like '... and told within a French sentence' 0 \
	"h1 est injoignable${nb}: cannot connect to *prochain essai à *" ''
try french towerify-host check h1
like 'a check says it in French' 75 '*injoignable*' \
	"towerify-host: h1${nb}: impossible de se connecter à 127.0.0.1 port *"
try french towerify-host check h1 --json
json '... but not to programs' \
	'.hosts[0] | .result == "unreachable" and
	(.error | startswith("cannot connect to "))'
try french towerify-queue list -o status,step
is 'words of columns are French' 0 "STATUT  ÉTAPE
en file     0" ''
try french towerify-queue list -o status --tsv
is '... but not to programs' 0 'status
queued' ''

if command -v sqlite3 >/dev/null; then
	ok 'there is no French in the state' sh -c \
		"! sqlite3 '$TOWERIFY_STATE/state.db' .dump |
		grep -E 'autoris|retenu|défa|«'"
fi

# --- a gate -------------------------------------------------------------------------

LOCPATH=$work/locale
export LOCPATH
SSH_ORIGINAL_COMMAND='towerify-queue frobnicate'
export SSH_ORIGINAL_COMMAND
try env LC_ALL=fr_FR.UTF-8 towerify-shell zoe
like 'who comes over SSH is spoken to in English' 2 '' \
	"towerify-queue: unknown verb*"
try towerify-shell --lang '../../x' zoe
like 'a locale is no path' 2 '' 'towerify-shell: --lang needs *'
try towerify-shell --lang
like 'a locale is named' 2 '' 'towerify-shell: --lang needs *'
SSH_ORIGINAL_COMMAND='towerify-queues'
try towerify-shell --lang fr_FR.UTF-8 zoe
like 'the gate itself speaks what it is told' 2 '' \
	"towerify-shell: «${nb}towerify-queues${nb}»*"
finish
