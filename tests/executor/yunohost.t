#!/bin/sh
# yunohost.t - the kinds that drive YunoHost, against its stand-in: what they
# do, that they believe nobody, and that undo leaves what was there
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || {
	echo '1..0 # SKIP no python3'
	exit 0
}

init
mkdir -p "$work/bin/yunohost.state"
ln -s "$top/tests/lib/yunohost" "$work/bin/yunohost"
state=$work/bin/yunohost.state
log=$work/log

yunohost() {
	"$work/bin/yunohost" "$@" </dev/null >"$work/yunohost.out" 2>&1
}
yunohost tools postinstall -d example.org -u alice -F Alice -p 'a long word' \
	--i-have-read-terms-of-services
cat >"$state/catalog/blog" <<'END'
name Blog
version 1.0~ynh1
multi yes
data yes
service yes
question domain domain required
question path path required /blog
question password password optional
question title string optional
END

# The kinds as they are sent, where this host has its YunoHost.
sed -e "s|^YUNOHOST=.*|YUNOHOST=$work/bin/yunohost|" \
	-e "s|^YUNOHOST_FILES=.*|YUNOHOST_FILES=$state/www|" \
	-e "s|^YUNOHOST_DATA=.*|YUNOHOST_DATA=$state/data|" \
	-e "s|^YUNOHOST_PATIENCE=.*|YUNOHOST_PATIENCE=4|" \
	"$top/share/kinds/lib/yunohost" >"$work/lib"
text_of() {
	cat "$work/lib" "$top/share/kinds/yunohost-$1"
}

# yuno KIND [ARG VALUE]…: a job of one such step
yuno() {
	new
	s_param domain example.org
	s_param path "${path-/blog}"
	[ -z "${title-}" ] || s_param title "$title"
	[ -z "${password-}" ] || s_secret password "$password"
	kind "yunohost-$1" "$(text_of "$1")"
	use "yunohost-$@"
	case $1 in
	app) defaults="state present version from label purge false
		force false backup true args" ;;
	user) defaults="domain" ;;
	permission) defaults="state allowed" ;;
	service) defaults="services" ;;
	*) defaults= ;;
	esac
	[ -z "${password-}" ] || uses password
}
# app [ARG VALUE]…
app() {
	yuno app state present version '' from '' label '' force false \
		backup true purge false args '' "$@"
}
answers='domain={{domain}}&path={{path}}&title={{ title }}&password={{password}}'
with_title() {
	title=$1 password=$2
}
# Then one that fails, so that all is undone.
fails() {
	does 'exit 1'
	undo nothing
	start
}
wrong() {	# wrong VERB WORDS…
	verb=$1
	shift
	echo "$*" >"$state/switch/$verb"
}
verdict() {
	says "[0-9]* [0-9]* verdict $1"
}
version_is() {
	have=$(cat "$state/apps/$1/version" 2>/dev/null || echo none)
	[ "$have" = "$2" ] || { echo "version: $have"; return 1; }
}
calls() {	# calls N VERB: so often since the last look
	have=$(grep -c "^$2 " "$state/calls" || :)
	[ "$have" -eq "$1" ] || { cat "$state/calls"; return 1; }
}
forget() {
	rm -f "$spool/held"
	: >"$state/calls"
	rm -f "$state"/switch/* "$state"/hook/*
}

# --- installs
title='Été & "co" %2B' password="it's a {long} =&%/word é"
app id blog args "$answers" version 1.0~ynh1
start
ok 'an install' is 'life 1; start 1; run 1 1; end 1 done verify 0; verdict succeeded'
ok '... names its operation' has 'app_install-blog, success: true'
title= password='a long w&=%/rd é'
ok '... is there' version_is blog 1.0~ynh1
start
