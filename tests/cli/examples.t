#!/bin/sh
# examples.t - the EXAMPLES of the manual pages, run
#
# Each .Dl line and each literal display of an EXAMPLES section is run by sh -e
# on a tower of its own, in which web1 to web3 are there (where an example adds
# web1 itself: web2 and web3), all labelled role=front, with page.yaml,
# greeting.yaml, alice.pub and the manifest.toml of a blog at hand.
# What can't be done as it is written:
#   - hosts: web1, web1.example.org and 192.0.2.7 are this machine's throw-away
#     sshd (by an ssh_config), the users root and deploy whoever runs the test
#   - ssh towerify@tower COMMAND is what towerify-shell does for alice, who may
#     all on these towers
#   - ssh HOST COMMAND, which would write to a home directory, runs the command
#     in a directory of the test
#   - add gets a --spool and --accept-host-key (the default spool is the
#     machine's, the question is for a terminal) and loses --sudo, which this
#     machine may lack; that the option is known is looked at by itself
#   - YunoHost's catalogue is a file of this tree
#   - a line of crontab(5) is run without its five stars
#   - the collector's directory is where the example runs
#   - change files are checked, app files compiled; those that install packages
#     are not run
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

tower_sshd
touch "$work/sshd/home/.hushlogin"
mkdir "$work/sshd/home/.ssh" "$work/bin" "$work/vault"
ln -s "$work/sshd/authorized_keys" "$work/sshd/home/.ssh/authorized_keys"
cat >>"$work/sshd/ssh_config" <<END
Host web1.example.org 192.0.2.7
    HostName 127.0.0.1
    Port $port
END
real_ssh=$work/sshd/bin/ssh
real_host=$(command -v towerify-host)
cat >"$work/bin/ssh" <<END
#!/bin/sh
# The tools give options; else it is: ssh HOST COMMAND
case \$1 in
-*) exec $real_ssh "\$@" ;;
*@web1) cd $work/sshd/home ;;
towerify@tower)
	shift
	SSH_ORIGINAL_COMMAND=\$* exec towerify-shell \
		--state "\$TOWERIFY_STATE" alice
	;;
vault) cd $work/vault ;;
*) exit 255 ;;
esac
exec sh -c "\$2"
END
cat >"$work/bin/towerify-host" <<END
#!/bin/sh
if [ "\$1" = add ]; then
	name=\$2
	for word; do
		shift
		[ "\$word" = --sudo ] || set -- "\$@" "\$word"
	done
	set -- "\$@" --accept-host-key --spool "\$TOWERIFY_STATE.\$name"
fi
exec $real_host "\$@"
END
chmod +x "$work/bin/ssh" "$work/bin/towerify-host"
PATH=$work/bin:$PATH

try "$real_host" add x y --sudo --no-such
is '--sudo is an option of add' 2 '' \
	"towerify-host: unknown option '--no-such'
hint: towerify-host add --help says more"

mkdir "$work/here"
cd "$work/here"
cat >page.yaml <<'END'
towerify: 1
title: A page
params:
  domain: {type: string, default: example.org}
steps:
  - {name: page, run: 'echo "$domain"', undo: nothing}
END

cat >greeting.yaml <<'END'
towerify-app: 1
app: greeting
version: '1.0'
params:
  whom: {type: string, default: world}
deploy:
  - {name: it, run: 'echo "$whom" >"$HOME/$app_instance"', undo: 'rm "$HOME/$app_instance"'}
upgrade:
  - {name: it, run: 'echo "$whom" >"$HOME/$app_instance"', undo: nothing}
undeploy:
  - {name: it, run: 'rm "$HOME/$app_instance"', undo: nothing}
END

ssh-keygen -q -t ed25519 -N '' -C alice@laptop -f alice
cp "$top/tests/data/yunohost/manifests/blog.toml" manifest.toml

# displays PAGE SECTION…: each display of the sections as a file N in $work/d;
# what mdoc escapes is as it was meant.
displays() {
	page=$1
	shift
	rm -rf "$work/d"
	mkdir "$work/d"
	awk -v dir="$work/d" -v sections="|$*|" '
		function put(line) {
			gsub(/\\\(dq/, "\"", line)
			gsub(/\\&/, "", line)
			gsub(/\\-/, "-", line)
			gsub(/\\e/, "\\", line)
			print line > (dir "/" n)
		}
		/^\.Sh / {
			on = index(sections, "|" substr($0, 5) "|") > 0
		}
		on && /^\.Dl / { n++; put(substr($0, 5)) }
		on && /^\.Bd -literal/ { n++; within = 1; next }
		/^\.Ed/ { within = 0 }
		within { put($0) }' "$page"
}

adapt() {
	sed -e 's/^\* \* \* \* \* //' -e 's/^\$ //' \
		-e 's|/var/lib/prometheus/node-exporter/|./|' \
		-e "s|https://app.yunohost.org/[^ ]*|$top/tests/data/yunohost/apps.json|" \
		-e "s/root@\|deploy@/$me@/g"
}

fresh() {	# fresh NAME HOST…: a tower with these hosts
	TOWERIFY_STATE=$work/tower-$1
	export TOWERIFY_STATE
	shift
	"$real_host" key >>"$work/sshd/authorized_keys"
	for host; do
		quietly towerify-host add "$host" "$address" --label role=front
	done
}

for page in "$top"/man/towerify-*.1 "$top/man/towerify.7"; do
	name=${page##*/}
	case $name in
	towerify-host.1 | towerify.7) fresh "$name" web2 web3 ;;
	*) fresh "$name" web1 web2 web3 ;;
	esac
	# there is a change 12
	for i in 1 2 3 4; do
		quietly towerify-queue add web2,web3 page.yaml --key "a$i"
		quietly towerify-queue add web2 page.yaml --key "b$i"
	done
	quietly towerify-op add alice
	quietly towerify-op grant alice view,change,host
	displays "$page" EXAMPLES
	ok "$name has examples" test -s "$work/d/1"
	i=0
	while i=$((i + 1)) && [ -e "$work/d/$i" ]; do
		adapt <"$work/d/$i" >"$work/script"
		ok "$name: $(head -n 1 "$work/d/$i")" sh -e "$work/script"
	done
done

try cat "$work/vault/towerify.checkpoints"
like '... the checkpoint went to the vault' 0 'towerify-checkpoint 1 *' ''
try "$real_host" list --state "$work/tower-towerify.7" -n -o name,address,status
like '... the first tower has its host' 0 '*web1 web1.example.org ready*' ''
try "$real_host" list --state "$work/tower-towerify-host.1" -n -o name,labels \
	web1
is '... the other one, too' 0 'web1 role=front' ''

# --- towerify-change(5) ------------------------------------------------------------------

fresh change web1
displays "$top/man/towerify-change.5" DESCRIPTION
try towerify-queue check "$work/d/1"
like 'towerify-change.5: the first file is good' 0 'Say hello*' ''
try towerify-queue add web1 "$work/d/1" --run --wait
is '... and runs' 0 1 ''
try towerify-queue log 1
like '... and does what it says' 0 '*hello, world' ''

displays "$top/man/towerify-change.5" EXAMPLES
files=0
i=0
while i=$((i + 1)) && [ -e "$work/d/$i" ]; do
	if [ "$(head -n 1 "$work/d/$i")" = 'towerify: 1' ]; then
		files=$((files + 1))
		[ "$files" -gt 1 ] || cp "$work/d/$i" shop.yaml
		set -- "$work/d/$i"
		if grep -q 'type: secret' "$work/d/$i"; then
			echo 'correct horse battery' >password
			set -- "$@" -p admin_password@password
		elif grep -q 'required: true' "$work/d/$i"; then
			set -- "$@" -p domain=shop.example
		fi
		ok "towerify-change.5: $(sed -n 2p "$work/d/$i")" \
			towerify-queue check "$@"
	else
		adapt <"$work/d/$i" >"$work/script"
		ok "towerify-change.5: $(head -n 1 "$work/d/$i")" \
			sh -e "$work/script"
	fi
done
ok '... five files' test "$files" -eq 5

# --- towerify-yunohost(7) -------------------------------------------------------------

displays "$top/man/towerify-yunohost.7" EXAMPLES
echo 'correct horse battery' >password
ok "towerify-yunohost.7: $(sed -n 2p "$work/d/1")" towerify-queue check \
	"$work/d/1" -p domain=shop.example -p password@password

# --- towerify-fetch(8) -----------------------------------------------------------

displays "$top/man/towerify-fetch.8" DESCRIPTION
cp "$work/d/1" "$TOWERIFY_STATE/fetch.yaml"
try towerify-app import https://app.yunohost.org/default/v3/apps.json
like "towerify-fetch.8: its rules are rules" 77 '' '*not among the addresses*'

# --- towerify-app(5) -------------------------------------------------------------

# Compiles app file $1 to action $2.
compile() {
	set -- "$1" "$2" '' program blob keys
	! grep -q 'required: true, pat' "$1" || set -- "$@" domain=shop.example
	[ "$2" != deploy ] || ! grep -q 'type: secret' "$1" ||
		set -- "$@" 'admin_password=correct horse battery'
	"${abs_top_builddir:-$top}/tests/executor/compile" "$@"
}

files=0
for section in DESCRIPTION EXAMPLES; do
	displays "$top/man/towerify-app.5" "$section"
	for file in "$work/d"/*; do
		files=$((files + 1))
		about=$(sed -n 2p "$file")
		for action in $(sed -n 's/^\([a-z]*\):$/\1/p' "$file"); do
			case $action in params|exports) continue ;; esac
			ok \
				"towerify-app.5: $action of $about" \
				compile "$file" "$action"
		done
	done
done
ok '... three files' test "$files" -eq 3
finish
