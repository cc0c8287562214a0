#!/bin/sh
# completion.t - the completion of bash, driven without a terminal
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

if ! command -v bash >/dev/null; then
	echo '1..0 # SKIP no bash'
	exit
fi

# complete LINE: the candidates for the end of it, sorted, in one line.  Bash's
# own breaking of the line is done by read -e's rules: blanks, and = and :
# between them; quotes keep together.
cat >"$work/complete.bash" <<'END'
. "$1"
line=$2
COMP_LINE=$line
COMP_POINT=${#line}
COMP_WORDS=()
rest=$line
word="^(\"[^\"]*\"|'[^']*'|[^[:blank:]=:\"'])+"
while [[ -n $rest ]]; do
	if [[ $rest =~ ^[[:blank:]]+ ]]; then
		rest=${rest#"${BASH_REMATCH[0]}"}
	elif [[ $rest =~ ^[=:]+ || $rest =~ $word ]]; then
		COMP_WORDS+=("${BASH_REMATCH[0]}")
		rest=${rest#"${BASH_REMATCH[0]}"}
	fi
done
case $line in *[[:blank:]]) COMP_WORDS+=('') ;; esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
current=${COMP_WORDS[COMP_CWORD]}
case $current in *[!=:]*) ;; *) current='' ;; esac
command=${COMP_WORDS[0]}
spec=$(complete -p "${command##*/}") || exit 3
function=${spec#*-F }
function=${function%% *}
"$function" "$command" "$current" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ' | sed 's/ $//'
END

completes() {	# completes LINE CANDIDATES
	try bash --norc "$work/complete.bash" "$top/share/completion/towerify" "$1"
	text=$(cat "$work/out")
	printf '%s' "$text" >"$work/text"
	if [ "$status" -eq 0 ] && [ "$text" = "$2" ] && [ ! -s "$work/err" ]; then
		pass "$1<TAB>"
	else
		{
			printf 'status %s\nhave: %s\nwant: %s\n' "$status" \
				"$text" "$2"
			cat "$work/err"
		} >"$work/said"
		fail "$1<TAB>" <"$work/said"
	fi
}

# Without a state: what the tool itself knows, and no noise.
completes 'towerify-queue ' \
	'abandon add cancel check list log plan retry show wait why'
completes 'towerify-queue c' 'cancel check'
completes 'towerify-host re' 'release remove revoke'
completes 'towerify-queue list ' ''
completes 'towerify-queue show ' ''

tower_sshd
tower_host web1 --label role=front
tower_host web2 --label role=back
tower_host db1 --label role=back
cd "$work"
printf 'towerify: 1\nsteps:\n  - {run: "true", undo: nothing}\n' >page.yaml
mkdir pages
quietly towerify-queue add web1 page.yaml --run
quietly towerify-queue add web1,web2 page.yaml

# --- options -------------------------------------------------------------------------

completes 'towerify-queue list --' '--after --all --color --help --json '\
'--limit --list-columns --noheadings --null --org --output --quiet --state '\
'--status --tsv --verbose --version'
completes 'towerify-queue add --not' '--not-after --not-before'
completes 'towerify-queue add --not-after +2h --not' '--not-before'
completes 'towerify-queue add -p a=b --pa' '--param'
completes 'towerify-queue --st' '--state'
completes 'towerify-run --' '--color --cron --help --hosts --jobs --json '\
'--list-columns --noheadings --null --org --output --quiet --state --status '\
'--tsv --verbose --version --watch --within'

# --- columns, statuses, words ------------------------------------------------------------

completes 'towerify-queue list -o st' 'started status step steps'
completes 'towerify-queue list -o id,st' \
	'id,started id,status id,step id,steps'
completes 'towerify-queue list -o id,host,i' ''
completes 'towerify-queue list --output=+ope' '+operator'
completes 'towerify-queue -o ' ''
completes 'towerify-queue list -no ope' 'operator'
completes 'towerify-run --status -o fa' 'failed'
completes 'towerify-queue list --status ' 'cancelled failed held queued '\
'rolled-back running succeeded unknown'
completes 'towerify-queue list --status=queued,h' 'queued,held'
completes 'towerify-host add x y --transport ' 'auto libssh2 ssh'
completes 'towerify-host list --color=a' 'always auto'
completes 'towerify-queue add x y --after-failure ' 'hold'
completes 'towerify-queue list --org ' 'default'
completes 'towerify-audit list --operator ' "$me"

# --- hosts -------------------------------------------------------------------------------

completes 'towerify-host show ' 'db1 web1 web2'
completes 'towerify-host list w' 'web1 web2'
completes 'towerify-host add ' ''
completes 'towerify-host show web1 ' ''
completes 'towerify-queue add web1,w' 'web1,web2'
completes 'towerify-queue add web1,!' 'web1,!db1 web1,!web1 web1,!web2'
completes 'towerify-run --hosts d' 'db1'
completes 'towerify-run --hosts=d' 'db1'
completes 'towerify-audit list --host web' 'web1 web2'
completes 'towerify-host list @' '@role=back @role=front'
completes 'towerify-host list @role=f' 'front'
completes 'towerify-host list --state /nonexistent w' ''
completes 'nowhere/towerify-host list w' ''
completes "towerify-queue add --reason 'two words' w" 'web1 web2'
completes 'towerify-host set web1 s' 'spool-id=accept spool= ssh-config=no ssh-config=yes sudo='
completes 'towerify-host set web1 sudo=true po' 'port='

# --- changes, files ------------------------------------------------------------------------

completes 'towerify-queue show ' '1 2 3'
completes 'towerify-queue cancel ' '2 3'
completes 'towerify-queue wait 2 ' '2 3'
completes 'towerify-queue retry ' '1'
completes 'towerify-audit list --change ' '1 2 3'
completes 'towerify-queue add web1 pag' 'page.yaml pages'
completes 'towerify-queue check page' 'page.yaml pages'
completes 'towerify-queue add web1 page.yaml ' ''
completes 'towerify-queue add web1 page.yaml -p key@page' \
	'key@page.yaml key@pages'
completes 'towerify-host list --state=pa' 'pages'
completes 'towerify-audit verify --checkpoint page.' 'page.yaml'

# --- operators, organisations, grants ----------------------------------------------------

cat >wiki.yaml <<'END'
towerify-app: 1
app: wiki
version: '1.0'
deploy: [{run: 'true', undo: nothing}]
undeploy: [{run: 'true', undo: nothing}]
END
quietly towerify-app add wiki.yaml
quietly towerify-app deploy wiki web1 --name notes
completes 'towerify-app ' 'add backup check deploy import instances list '\
'remove restore show start '\
'stop undeploy upgrade'
completes 'towerify-app add w' 'wiki.yaml'
completes 'towerify-app import w' 'wiki.yaml'
completes 'towerify-app show w' 'wiki'
completes 'towerify-app remove wiki@' 'wiki@1.0'
completes 'towerify-app deploy w' 'wiki'
completes 'towerify-app deploy wiki web' 'web1 web2'
completes 'towerify-app deploy wiki web1 --name n' ''
completes 'towerify-app upgrade n' 'notes'
completes 'towerify-app undeploy notes --no' '--no-backup --noheadings '\
'--not-after --not-before'
completes 'towerify-app stop notes d' 'db1'

quietly towerify-op add alice
quietly towerify-op org add acme
completes 'towerify-op ' \
	'add backup can config grant grants init list org remove restore set show ungrant whoami'
completes 'towerify-op o' 'org'
completes 'towerify-op org ' 'add list remove show'
completes 'towerify-op org re' 'remove'
completes 'towerify-op org -q sh' 'show'
completes 'towerify-op org show ' 'acme default'
completes 'towerify-op org remove a' 'acme'
completes 'towerify-op org add ' ''
completes 'towerify-op org add beta --admin a' 'alice'
completes 'towerify-op list --org ' 'acme default'
completes 'towerify-op org list -o na' 'name'
completes 'towerify-op add ' ''
completes 'towerify-op add carol --ssh-key page' 'page.yaml pages'
completes 'towerify-op show a' 'alice'
completes 'towerify-op remove --org acme ' "$me"
completes 'towerify-op set alice ' 'admin=no admin=yes'
completes 'towerify-op set alice admin=y' 'yes'
completes 'towerify-op grant alice ' 'admin audit change deploy host view'
completes 'towerify-op grant alice view,c' 'view,change'
completes 'towerify-op grant alice view ' ''
completes 'towerify-op ungrant alice h' 'host'
completes 'towerify-op grant alice view --on ' 'app: db1 hosts: org web1 web2'
completes 'towerify-op grant alice view --on web1 --on web' 'web1 web2'
completes 'towerify-op grant alice view --on hosts:w' 'web1 web2'
completes 'towerify-op grant alice view --on=hosts:web1,w' 'web1,web2'
completes 'towerify-op grant alice view --on @' '@role=back @role=front'
completes 'towerify-op can alice c' 'change'
completes 'towerify-op can alice view,' ''
completes 'towerify-op can alice change o' 'org'
completes 'towerify-op can alice change web1 d' 'db1'

# --- all of it ---------------------------------------------------------------------------

# every_option TOOL VERB: those of the tool's own description
every_option() {
	"towerify-$1" --dump-cli | awk -F '\t' -v verb="$2" '
		$1 == "option" && ($2 == "" || $2 == verb) { print "--" $3 }' |
		sort | tr '\n' ' ' | sed 's/ $//'
}
for tool in host queue run audit op; do
	"towerify-$tool" --dump-cli | awk -F '\t' '$1 == "verb" { print $2 }' \
		>"$work/verbs"
	while IFS= read -r verb; do
		completes "towerify-$tool ${verb:+$verb }--" \
			"$(every_option "$tool" "$verb")"
		columns=$("towerify-$tool" --dump-cli | awk -F '\t' \
			-v verb="$verb" '$1 == "column" && $2 == verb {
				print $3 }' | sort | tr '\n' ' ' | sed 's/ $//')
		completes "towerify-$tool ${verb:+$verb }-o " "$columns"
	done <"$work/verbs"
done
finish
