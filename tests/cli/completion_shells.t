#!/bin/sh
# completion_shells.t - the completion of zsh and of fish, in these shells
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

tower_sshd
tower_host web1 --label role=front
tower_host web2 --label role=back
tower_host db1 --label role=back
cd "$work"
printf 'towerify: 1\nsteps:\n  - {run: "true", undo: nothing}\n' >page.yaml
mkdir pages
quietly towerify-queue add web1 page.yaml --run
quietly towerify-queue add web1,web2 page.yaml
cat >wiki.yaml <<'END'
towerify-app: 1
app: wiki
version: '1.0'
deploy: [{run: 'true', undo: nothing}]
undeploy: [{run: 'true', undo: nothing}]
END
quietly towerify-app add wiki.yaml
quietly towerify-app deploy wiki web1 --name notes
quietly towerify-op add alice
quietly towerify-op grant alice view --on web1
quietly towerify-op org add acme

# every_option TOOL VERB: those of the tool's own description
every_option() {
	"towerify-$1" --dump-cli | awk -F '\t' -v verb="$2" '
		$1 == "option" && ($2 == "" || $2 == verb) { print "--" $3 }' |
		sort | tr '\n' ' ' | sed 's/ $//'
}

# LINE|the words it may go on with, sorted
cat >lines <<END
towerify-queue |abandon add cancel check list log plan retry show wait why
towerify-queue c|cancel check
towerify-audit st|stats
towerify-op o|org
towerify-op org |add list remove show
towerify-op org re|remove
towerify-op org -q sh|show
towerify-queue list --|$(every_option queue list)
towerify-run --|$(every_option run '')
towerify-audit timeline --s|--since --state
towerify-queue add --not-after +2h --not|--not-before
towerify-queue add -p a=b --pa|--param
towerify-queue list -o st|started status step steps
towerify-queue list -o id,st|id,started id,status id,step id,steps
towerify-queue list -o id,host,i|
towerify-queue list --output=+ope|--output=+operator
towerify-queue -o |
towerify-queue list -no ope|operator
towerify-run --status -o fa|failed
towerify-audit stats --by |app host operator
towerify-audit stats -o wait|wait_p50 wait_p95
towerify-audit timeline --host d|db1
towerify-audit metrics pa|page.yaml pages
towerify-queue list --status=queued,h|--status=queued,held
towerify-host add x y --transport |auto libssh2 ssh
towerify-host list --color=a|--color=always --color=auto
towerify-host show |db1 web1 web2
towerify-host list w|web1 web2
towerify-host add |
towerify-host show web1 |
towerify-queue add web1,w|web1,web2
towerify-queue add web1,!d|web1,!db1
towerify-run --hosts=d|--hosts=db1
towerify-host list @|@role=back @role=front
towerify-host list --state /nonexistent w|
towerify-host list --org acme w|
towerify-queue add --reason 'two words' w|web1 web2
towerify-host set web1 sud|sudo=
towerify-queue show |1 2 3 4
towerify-queue cancel |2 3 4
towerify-queue retry |1
towerify-queue add web1 pag|page.yaml pages
towerify-queue add web1 page.yaml -p key@pag|key@page.yaml key@pages
towerify-host list --state=pa|--state=pages
towerify-app show w|wiki
towerify-app remove wiki@|wiki@1.0
towerify-app upgrade n|notes
towerify-app deploy wiki web|web1 web2
towerify-op show a|alice
towerify-op list --org |acme default
towerify-op set alice |admin=no admin=yes
towerify-op grant alice view,c|view,change
towerify-op grant alice view --on hosts:w|hosts:web1 hosts:web2
towerify-op grant alice view --on o|org
END

# What is behind the bar, sorted, against what a shell gave for each line.
judge() {	# judge SHELL
	ok "$1 says nothing" test ! -s "$1.err"
	n=0
	while IFS='|' read -r line want; do
		n=$((n + 1))
		# a directory's slash is zsh's to add
		have=$(sed -n "${n}{s|/ | |g;s|/\$||;p}" "$1.out")
		if [ "$have" = "$want" ]; then
			pass "$1: $line<TAB>"
		else
			printf 'have: %s\nwant: %s\n' "$have" "$want" >said
			fail "$1: $line<TAB>" <said
		fi
	done <lines
}

# --- fish ------------------------------------------------------------------------------

cat >drive.fish <<'END'
set -g fish_complete_path $argv[1]
while read -l line
    complete -C (string replace -r '\|.*' '' -- $line) |
        string replace -r '\t.*' '' | sort | string join ' '
    # nothing at all is a line too
    test $pipestatus[3] -eq 0 -a $pipestatus[4] -le 1
    or echo trouble
end
END
if command -v fish >/dev/null; then
	mkdir fish
	for tool in app audit host op queue run; do
		ln -s "$top/share/completion/towerify.fish" \
			"fish/towerify-$tool.fish"
	done
	while IFS= read -r line; do
		printf '%s\n' "$line" | fish --no-config drive.fish \
			"$work/fish" 2>>fish.err | head -n 1 | grep . || echo
	done <lines >fish.out
	judge fish
	try env TOWERIFY_OPERATOR=alice fish --no-config -c \
		"set fish_complete_path $work/fish
		complete -C 'towerify-host show '"
	is 'fish: hosts that one may see' 0 web1 ''
else
	skip fish 'no fish'
fi

# --- zsh -------------------------------------------------------------------------------

# In a shell of its own on a terminal: each line is typed, and then ^T, whose
# widget completes and writes down what was to be added.
cat >inner.zsh <<'END'
PS1= PS2=
unsetopt beep
autoload -Uz compinit
compinit -D -u
compadd() {
	if [[ ${(j: :)@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a found
	builtin compadd -A found "$@"
	((!$#found)) || hits+=("$IPREFIX"$^found)
	builtin compadd "$@"
}
note() {
	hits=()
	_main_complete
	compstate[insert]= compstate[list]=
	print -r -- ${(ou)${(Q)hits}} >>$HITS
}
zle -C note complete-word note
bindkey -e
bindkey '^T' note
END
cat >drive.zsh <<'END'
zmodload zsh/zpty zsh/zselect || exit
export HITS=$1/zsh.out
: >$HITS
zpty -b z zsh -f -i
zpty -w z "fpath=($1/zsh \$fpath); source $1/inner.zsh; print -r -- rea'dy'"
said=
until [[ $said == *ready* ]]; do zpty -r -t z part && said+=$part; zselect -t 2; done
n=0
while IFS= read -r line; do
	((n += 1))
	zpty -w -n z ${line%%'|'*}$'\C-t'
	for ((i = 0; i < 1000; i++)); do
		while zpty -r -t z part; do said+=$part; done
			(($(wc -l <$HITS) < n)) || break
		zselect -t 1
	done
	zpty -w -n z $'\C-a\C-k'
done
zpty -d z
print -r -- $said >$1/zsh.said
END
if command -v zsh >/dev/null; then
	mkdir zsh
	cp "$top/share/completion/_towerify" zsh/_towerify
	ok 'zsh: it is driven' zsh -f drive.zsh "$work" <lines
	grep -a '_towerify[a-z_]*:\|command not found\|no such file' zsh.said \
		>zsh.err || :
	judge zsh
else
	skip zsh 'no zsh'
fi
finish
