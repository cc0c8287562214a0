#!/bin/sh
# yunohost.sh - stands for YunoHost's command on a test host
#
# YunoHost takes over a whole server and can't be installed for a test.  This
# program, which the one called `yunohost' beside it becomes, keeps what it
# knows in a directory, and behaves as the real one where tests look: names and
# shapes of what it prints, what it refuses, its lock, its log, and that its exit
# status lies.  Its arguments come quoted on descriptor 3.
#
# TAKEN from YunoHost's sources (github.com/YunoHost/yunohost, branch of 12,
# files in brackets) and moulinette's:
#   - verbs, options, which verbs take no lock [share/actionsmap.yml]: those
#     with only a GET route
#   - app list, info, install, remove, upgrade, the two safety backups of an
#     upgrade and the way back from a failed one [src/app.py]
#   - decoding of --args: parse_qsl, the last of a name counts; defaults, types
#     and what they refuse [src/utils/form.py]
#   - names and list of operations, oldest first on a terminal [src/log.py]
#   - the lock: a file with a process id, looked at and then written (so two may
#     take it), staleness asked once, waited for without an end or as long as
#     --timeout says, passed by children of its holder [moulinette/core.py]
#   - services by name with their status, running or not; a permission's users
#     and groups under "allowed" [src/service.py, src/permission.py]
#   - what is allowed before postinstall; that message is on stdout
#     [src/__init__.py]
#   - a removal whose script fails ends well: 0, and "success" in the log
#     [app_remove() in src/app.py]; an upgrade of one app that fails did
#     (pull request 2196); certificates too (issue 1681 of YunoHost/issues)
# GUESSED, or only said by others:
#   - the words of messages, sizes, the result of backup create and restore
#   - that "already up to date" exits 1; YunoHost 12.0 says it and exits 0, as
#     here with the word `fine'
#   - what is printed without --output-as json
# LEFT OUT: everything else.  The main thing: no script of an app runs, and no
# web server, user or mail is there.
#
# The directory is $YUNOHOST_STANDIN, which the program that calls this one sets
# to yunohost.state beside itself, else to /var/lib/yunohost-standin.  In it:
#   installed            there after postinstall
#   domains/NAME main    users/NAME (full name)
#   home/NAME            of a user, or left by one
#   catalog/ID           what can be installed; lines of
#                          version V | name TEXT | multi yes | data yes
#                          service yes
#                          question NAME TYPE required|optional [DEFAULT]
#                          choices NAME A,B,C
#   apps/ID/             what is installed: version, domain, path, answers
#   data/ID www/ID       its data and its files, which may be left over
#   elsewhere/ID         its data, where its maker keeps them elsewhere
#   services/ID          running or stopped
#   permissions/ID.main  who may use it, a line each
#   backups/NAME/        archives      log/NAME   operations
#   clock                the last operation's second
#   calls                a line for each call: verb, LC_ALL, terminal, status
#   turns                a line when an operation gets the lock and when it goes
#   switch/VERB          how the next app-install, backup-create… goes wrong, or
#                        switch/any; words of
#                          fail     says so: 1
#                          lie      nothing is done, 0
#                          half     something is done, and is left; an app to
#                                   be upgraded is gone
#                          lost     with half, or an upgrade that fails: 0
#                          slow N   takes N seconds    noisy   talks a lot
#                          crash    dies, lock and operation are left
#                          fine     with app-upgrade: up to date is 0
#                          race     with any lock: a moment between looking at
#                                   it and taking it
#                          keep     not only the next one
#   hook/VERB            run when that verb has succeeded
# shellcheck disable=SC2317
set -u
umask 077

program=yunohost
version=12.1.39
json=no
status=0
held=no
op=
words=

dir=$YUNOHOST_STANDIN
patience=

info() {
	printf 'Info: %s\n' "$*" >&2
}

warning() {
	printf 'Warning: %s\n' "$*" >&2
}

# The operation that runs, if any, ends badly.
fail() {
	printf 'Error: %s\n' "$*" >&2
	op_end false
	leave 1
}

usage() {
	printf 'usage: %s {user,domain,app,backup,settings,tools,log} ...\n' \
		"$program" >&2
	printf '%s: error: %s\n' "$program" "$*" >&2
	leave 2
}

leave() {
	status=$1
	terminal=no
	[ ! -t 0 ] || terminal=yes
	printf '%s LC_ALL=%s terminal=%s status=%s\n' "${verb:-none}" \
		"${LC_ALL-}" "$terminal" "$status" >> "$dir/calls"
	exit "$status"
}

# --- JSON -------------------------------------------------------------------

# js TEXT: as a JSON string.
js() {
	printf '%s' "$1" | awk '
	BEGIN { printf "\"" }
	NR > 1 { printf "\\n" }
	{
		gsub(/\\/, "&&")
		gsub(/"/, "\\\"")
		gsub(/\t/, "\\t")
		gsub(/\r/, "\\r")
		printf "%s", $0
	}
	END { printf "\"" }'
}

# names DIRECTORY: what is in it, a line each, in order.
names() {
	[ -d "$1" ] || return 0
	for names_file in "$1"/*; do
		[ ! -e "$names_file" ] || printf '%s\n' "${names_file##*/}"
	done
}

# list_of: the lines of stdin as a JSON list.
list_of() {
	first=yes
	printf '['
	while IFS= read -r item; do
		[ "$first" = yes ] || printf ', '
		first=no
		js "$item"
	done
	printf ']'
}

# --- The lock ---------------------------------------------------------------

is_ancestor() {
	ancestor=$$
	while [ -n "$ancestor" ] && [ "$ancestor" != 0 ]; do
		[ "$ancestor" != "$1" ] || return 0
		parent=
		while read -r key value; do
			[ "$key" != PPid: ] || parent=$value
		done < "/proc/$ancestor/status"
		ancestor=$parent
	done 2> /dev/null
	return 1
}

# There is a moment between looking and writing, as in the real one.
lock() {
	stale_checked=no
	since=$(date +%s)
	while :; do
		holder=
		[ ! -f "$dir/lock" ] || read -r holder < "$dir/lock" || :
		[ -n "$holder" ] || break
		! is_ancestor "$holder" || return 0
		if [ "$stale_checked" = no ]; then
			stale_checked=yes
			[ -e "/proc/$holder/exe" ] || break
		fi
		[ -z "$patience" ] ||
			[ $(($(date +%s) - since)) -le "$patience" ] || {
			printf 'Error: another YunoHost command is running\n' >&2
			leave 1
		}
		sleep 0.5
	done
	[ ! -e "$dir/switch/race" ] || sleep 0.5
	printf '%s' $$ > "$dir/lock"
	held=yes
	echo "in $$" >> "$dir/turns"
}

# --- Operations in the log --------------------------------------------------

# op_start OPERATION THING.  Names have seconds: here each operation has one of
# its own, a later one if need be, so that the last name is the last operation.
op_start() {
	now=$(date +%s)
	last=$(cat "$dir/clock" 2> /dev/null)
	[ "$now" -gt "${last:-0}" ] || now=$((last + 1))
	printf '%s\n' "$now" > "$dir/clock"
	op=$(date -u -d "@$now" +%Y%m%d-%H%M%S)-$1${2:+-$2}
	printf '?' > "$dir/log/$op"
}

op_end() {
	[ -z "$op" ] || printf '%s' "$1" > "$dir/log/$op"
	op=
}

# --- Switches ---------------------------------------------------------------

# The words of the verb's switch; it is used up.
read_switch() {
	words=
	for switch in "$dir/switch/$verb" "$dir/switch/any"; do
		[ -f "$switch" ] || continue
		read -r words < "$switch" || :
		has keep || rm -f "$switch"
		return 0
	done
}

has() {
	case " $words " in *" $1 "*) return 0 ;; esac
	return 1
}

# In the middle of an operation: what the switch says of it.
middle() {
	info "$1"
	if has noisy; then
		awk 'BEGIN {
			for (i = 0; i < 2000; i++)
				print "Info: [####....] > line", i
		}' >&2
	fi
	case " $words " in
	*' slow '*)
		seconds=${words##*slow }
		sleep "${seconds%% *}"
		;;
	esac
	if has crash; then
		kill -9 $$
	fi
	if has lie; then
		# The real ones tell nobody but their log.
		op_end false
		leave 0
	fi
}

# Ends an operation that went wrong after it had done something.
half_done() {
	if has lost; then
		warning "$*"
		op_end false
		leave 0
	fi
	fail "$*"
}

# --- Patterns of actionsmap.yml ---------------------------------------------

is_domain() {
	printf '%s' "$1" | LC_ALL=C grep -qxE \
		'([a-z0-9]+(-*[a-z0-9]+)*\.)+(xn--)?[a-z0-9]{2,}'
}

is_user() {
	printf '%s' "$1" | LC_ALL=C grep -qxE '[a-z0-9_.]+'
}

is_archive() {
	printf '%s' "$1" | LC_ALL=C grep -qxE '[A-Za-z0-9_.-]{0,49}[A-Za-z0-9_-]'
}

# --- Domains and users ------------------------------------------------------

domain_list() {
	if [ "$json" = yes ]; then
		printf '{"domains": %s, "main": %s}\n' \
			"$(names "$dir/domains" | list_of)" \
			"$(js "$(cat "$dir/main")")"
	else
		names "$dir/domains"
	fi
}

domain_add() {
	[ $# -ge 1 ] || usage 'the following arguments are required: domain'
	is_domain "$1" || fail "'$1' is no valid domain name"
	[ ! -e "$dir/domains/$1" ] || fail "the domain $1 already exists"
	op_start domain_add "$1"
	! has fail || fail "could not add the domain $1"
	middle "adding $1"
	: > "$dir/domains/$1"
	! has half || half_done "the domain $1 is there, without its certificate"
	op_end true
	info 'Success! domain created'
}

domain_remove() {
	domain='' apps=no
	for word; do
		case $word in
		-r | --remove-apps) apps=yes ;;
		-f | --force | --ignore-dyndns) ;;
		-*) usage "unrecognized arguments: $word" ;;
		*) domain=$word ;;
		esac
	done
	[ -n "$domain" ] || usage 'the following arguments are required: domain'
	[ -e "$dir/domains/$domain" ] || fail "the domain $domain is unknown"
	[ "$domain" != "$(cat "$dir/main")" ] ||
		fail "$domain is the main domain and can't be removed"
	users=$(grep -lx "$domain" "$dir"/apps/*/domain 2> /dev/null || :)
	[ -z "$users" ] || [ "$apps" = yes ] ||
		fail "apps are still installed on $domain"
	op_start domain_remove "$domain"
	! has fail || fail "could not remove the domain $domain"
	middle "removing $domain"
	rm -f "$dir/domains/$domain"
	op_end true
}

user_list() {
	if [ "$json" != yes ]; then
		names "$dir/users"
		return
	fi
	printf '{"users": {'
	names "$dir/users" | {
		comma=
		while IFS= read -r user; do
			printf '%s%s: {"username": %s, "fullname": %s, ' \
				"$comma" "$(js "$user")" "$(js "$user")" \
				"$(js "$(sed -n 1p "$dir/users/$user")")"
			printf '"mail": %s, "mailbox-quota": "0"}' \
				"$(js "$user@$(sed -n 2p "$dir/users/$user")")"
			comma=', '
		done
	}
	printf '}}\n'
}

# Eight characters and none of the most common: YunoHost has more to say.
is_strong() {
	[ "$(printf '%s' "$1" | wc -m)" -ge 8 ] && [ "$1" != 12345678 ] &&
		[ "$1" != password ]
}

make_user() {
	is_user "$1" || fail "the username may have only a-z, 0-9, _ and ."
	[ ! -e "$dir/users/$1" ] || fail "the user '$1' already exists"
	[ ! -e "$dir/apps/$1" ] || fail "there is an app called $1"
	is_strong "$3" || fail 'the password needs at least 8 characters'
	is_domain "$4" && [ -e "$dir/domains/$4" ] ||
		fail "the domain $4 is unknown"
	op_start user_create "$1"
	! has fail || fail "could not create the user $1"
	middle "creating $1"
	printf '%s\n%s\n' "$2" "$4" > "$dir/users/$1"
	mkdir -p "$dir/home/$1"
	op_end true
}

user_create() {
	name='' fullname='' password='' domain=$(cat "$dir/main")
	while [ $# -gt 0 ]; do
		case $1 in
		-F | --fullname | -p | --password | -d | --domain | \
		    -q | --mailbox-quota | -s | --loginShell)
			[ $# -ge 2 ] || usage "argument $1: expected one argument"
			;;
		esac
		case $1 in
		-F | --fullname) fullname=$2 && shift ;;
		-p | --password) password=$2 && shift ;;
		-d | --domain) domain=$2 && shift ;;
		-q | --mailbox-quota | -s | --loginShell) shift ;;
		-*) usage "unrecognized arguments: $1" ;;
		*) name=$1 ;;
		esac
		shift
	done
	[ -n "$name" ] || usage 'the following arguments are required: username'
	[ -n "$fullname" ] || fail 'fullname is required'
	[ -n "$password" ] || fail 'password is required'
	make_user "$name" "$fullname" "$password" "$domain"
	if [ "$json" = yes ]; then
		printf '{"fullname": %s, "username": %s, "mail": %s}\n' \
			"$(js "$fullname")" "$(js "$name")" \
			"$(js "$name@$domain")"
	fi
}

user_delete() {
	name='' purge=no
	for word; do
		case $word in
		--purge) purge=yes ;;
		--force) ;;
		-*) usage "unrecognized arguments: $word" ;;
		*) name=$word ;;
		esac
	done
	[ -n "$name" ] || usage 'the following arguments are required: username'
	is_user "$name" && [ -e "$dir/users/$name" ] ||
		fail "the user '$name' is unknown"
	op_start user_delete "$name"
	! has fail || fail "could not delete the user $name"
	middle "deleting $name"
	rm -f "$dir/users/$name"
	[ "$purge" = no ] || rm -rf "${dir:?}/home/$name"
	op_end true
}

# --- Apps -------------------------------------------------------------------

# of_catalog ID KEY
of_catalog() {
	sed -n "s/^$2 //p" "$dir/catalog/$1" | head -n 1
}

# The id in the catalogue of an instance: blog__2 is a blog.
base_id() {
	printf '%s' "${1%__[0-9]*}"
}

is_id() {
	printf '%s' "$1" | LC_ALL=C grep -qxE '[a-z0-9][a-z0-9_-]*'
}

is_installed() {
	is_id "$1" && [ -d "$dir/apps/$1" ]
}

assert_installed() {
	is_installed "$1" || fail "could not find $1 in the list of installed" \
		"apps: $(names "$dir/apps" | tr '\n' ' ')"
}

# app_fields ID: what app info and app list print of it, without the braces.
app_fields() {
	at=$dir/apps/$1
	printf '"description": %s, "name": %s, "version": %s' \
		"$(js "It stands for $1")" "$(js "$(cat "$at/name")")" \
		"$(js "$(cat "$at/version")")"
	[ ! -s "$at/domain" ] || printf ', "domain_path": %s' \
		"$(js "$(cat "$at/domain")$(cat "$at/path")")"
}

app_info() {
	app=
	full=no
	for word; do
		case $word in
		-f | --full) full=yes ;;
		-*) usage "unrecognized arguments: $word" ;;
		*) app=$word ;;
		esac
	done
	[ -n "$app" ] || usage 'the following arguments are required: app'
	assert_installed "$app"
	if [ "$json" != yes ]; then
		printf 'name: %s\nversion: %s\n' "$(cat "$dir/apps/$app/name")" \
			"$(cat "$dir/apps/$app/version")"
		return
	fi
	printf '{%s' "$(app_fields "$app")"
	[ "$full" = no ] || app_more "$app"
	printf '}\n'
}

app_more() {
	base=$(base_id "$1")
	now=$(cat "$dir/apps/$1/version")
	next=$(of_catalog "$base" version 2> /dev/null)
	upgradable=no
	if [ -z "$next" ]; then
		upgradable=url_required
	elif [ "$next" != "$now" ]; then
		upgradable=yes
		printf ', "current_version": %s, "new_version": %s' \
			"$(js "$now")" "$(js "$next")"
	fi
	printf ', "upgradable": "%s", "settings": {"id": %s' "$upgradable" \
		"$(js "$1")"
	if [ -e "$dir/elsewhere/$1" ]; then
		printf ', "data_dir": %s' "$(js "$dir/elsewhere/$1")"
	elif [ -e "$dir/apps/$1/data" ]; then
		printf ', "data_dir": %s' "$(js "$dir/data/$1")"
	fi
	printf ', "install_dir": %s}' "$(js "$dir/www/$1")"
	printf ', "manifest": {"id": %s, "version": %s}' "$(js "$base")" \
		"$(js "$now")"
	printf ', "supports_purge": %s' "$(
		[ -e "$dir/apps/$1/data" ] && echo true || echo false)"
}

app_list() {
	full=no
	for word; do
		case $word in
		-f | --full | -u | --upgradable) full=$word ;;
		*) usage "unrecognized arguments: $word" ;;
		esac
	done
	if [ "$json" != yes ]; then
		names "$dir/apps"
		return
	fi
	printf '{"apps": ['
	names "$dir/apps" | {
		comma=
		while IFS= read -r app; do
			more=
			[ "$full" = no ] || more=$(app_more "$app")
			case $full$more in
			-u*'"yes"'* | --upg*'"yes"'* | no* | -f* | --full*) ;;
			*) continue ;;
			esac
			printf '%s{%s%s, "id": %s}' "$comma" \
				"$(app_fields "$app")" "$more" "$(js "$app")"
			comma=', '
		done
	}
	printf ']}\n'
}

# decode TEXT: + is a blank, %XX a byte; other % stay.
decode() {
	printf '%s' "$1" | LC_ALL=C awk '
	BEGIN {
		for (i = 0; i < 256; i++)
			byte[sprintf("%02X", i)] = sprintf("%c", i)
	}
	NR > 1 { printf "\n" }
	{
		gsub(/\+/, " ")
		while (match($0, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
			printf "%s%s", substr($0, 1, RSTART - 1), \
			    byte[toupper(substr($0, RSTART + 1, 2))]
			$0 = substr($0, RSTART + 3)
		}
		printf "%s", $0
	}'
}

# read_args ARGS DIRECTORY: each answer in a file of its name there.
read_args() {
	rest=$1
	while [ -n "$rest" ]; do
		pair=${rest%%&*}
		case $rest in
		*'&'*) rest=${rest#*&} ;;
		*) rest= ;;
		esac
		[ -n "$pair" ] || continue
		name=$(decode "${pair%%=*}")
		case $pair in
		*=*) value=$(decode "${pair#*=}") ;;
		*) value= ;;
		esac
		case $name in '' | */* | .*) continue ;; esac
		printf '%s' "$value" > "$2/$name"
	done
}

# normal TYPE NAME VALUE ID: the value as YunoHost would keep it.
normal() {
	case $1 in
	domain)
		[ -e "$dir/domains/$3" ] && is_domain "$3" || return 1
		printf '%s' "$3"
		;;
	user) is_user "$3" && [ -e "$dir/users/$3" ] && printf '%s' "$3" ;;
	path) printf '/%s' "$(printf '%s' "$3" | sed 's|^[ /]*||; s|[ /]*$||')" ;;
	boolean)
		case $(printf '%s' "$3" | tr '[:upper:]' '[:lower:]') in
		1 | yes | y | true | t | on) printf 1 ;;
		0 | no | n | false | f | off) printf 0 ;;
		*) return 1 ;;
		esac
		;;
	number | range)
		case $3 in '' | *[!0-9]*) return 1 ;; esac
		printf '%s' "$3"
		;;
	password)
		case $3 in *[{}]*) return 1 ;; esac
		is_strong "$3" && printf '%s' "$3"
		;;
	select)
		choices=$(of_catalog "$4" "choices $2")
		case ,$choices, in *",$3,"*) printf '%s' "$3" ;; *) return 1 ;;
		esac
		;;
	*) printf '%s' "$3" ;;
	esac
}

# answer ID DIRECTORY: every question has its answer, or the install ends.
answer() {
	grep '^question ' "$dir/catalog/$1" > "$2/.questions" || :
	while read -r _ name type need default; do
		value=$(cat "$2/$name" 2> /dev/null)
		[ -n "$value" ] || value=$default
		if [ -z "$value" ]; then
			[ "$need" = optional ] ||
				fail "argument '$name' is required"
			continue
		fi
		value=$(normal "$type" "$name" "$value" "$1") ||
			fail "invalid value for the argument '$name'"
		printf '%s' "$value" > "$2/$name"
		# Passwords are not settings.
		[ "$type" != password ] || rm -f "$2/$name"
	done < "$2/.questions"
	rm -f "$2/.questions"
}

# free_url DIRECTORY: nobody has that domain and path.
free_url() {
	[ -e "$1/domain" ] && [ -e "$1/path" ] || return 0
	for other in "$dir"/apps/*; do
		[ -e "$other/domain" ] && [ -e "$other/path" ] || continue
		if cmp -s "$other/domain" "$1/domain" &&
		    cmp -s "$other/path" "$1/path"; then
			fail "this URL is not available: ${other##*/} has it"
		fi
	done
}

# The id of a new instance.
instance_of() {
	if ! is_installed "$1"; then
		printf '%s' "$1"
		return
	fi
	[ "$(of_catalog "$1" multi)" = yes ] || return 1
	number=2
	while is_installed "$1__$number"; do
		number=$((number + 1))
	done
	printf '%s__%s' "$1" "$number"
}

app_install() {
	app='' args='' label=
	while [ $# -gt 0 ]; do
		case $1 in
		-a | --args | -l | --label)
			[ $# -ge 2 ] || usage "argument $1: expected one argument"
			;;
		esac
		case $1 in
		-a | --args) args=$2 && shift ;;
		--args=*) args=${1#--args=} ;;
		-l | --label) label=$2 && shift ;;
		--label=*) label=${1#--label=} ;;
		-f | --force | -n | --no-remove-on-failure) ;;
		-*) usage "unrecognized arguments: $1" ;;
		*)
			[ -z "$app" ] || usage "unrecognized arguments: $1"
			app=$1
			;;
		esac
		shift
	done
	[ -n "$app" ] || usage 'the following arguments are required: app'
	case $app in
	https://*) app=${app##*/} && app=${app%_ynh} ;;
	esac
	is_id "$app" && [ -f "$dir/catalog/$app" ] || fail "unknown app '$app'"
	id=$(instance_of "$app") || fail "$app is already installed"

	new=$dir/new
	rm -rf "$new"
	mkdir "$new" || fail 'no room'
	read_args "$args" "$new"
	answer "$app" "$new"
	free_url "$new"
	printf '%s' "${label:-$(of_catalog "$app" name)}" > "$new/name"
	[ -s "$new/name" ] || printf '%s' "$app" > "$new/name"
	of_catalog "$app" version > "$new/version"
	install_it "$app" "$id" "$new"
}

# install_it APP ID DIRECTORY: it is in the list before its files are there.
install_it() {
	op_start app_install "$1"
	! has fail || fail "the installation of $1 failed"
	[ "$(of_catalog "$1" data)" != yes ] || : > "$3/data"
	[ "$(of_catalog "$1" service)" != yes ] ||
		echo running > "$3/service"
	echo all_users > "$3/allowed"
	mv "$3" "$dir/apps/$2"
	middle "installing $1"
	[ ! -e "$dir/apps/$2/data" ] || mkdir -p "$dir/data/$2"
	bring_up "$2"
	! has half || half_done "the installation of $1 failed and was not" \
		"cleaned up"
	op_end true
	info 'Success! installation completed'
}

# bring_up ID: what the rest of the host has of an installed app.
bring_up() {
	mkdir -p "$dir/www/$1"
	[ ! -e "$dir/apps/$1/service" ] ||
		cp "$dir/apps/$1/service" "$dir/services/$1"
	cp "$dir/apps/$1/allowed" "$dir/permissions/$1.main"
}

app_remove() {
	app='' purge=no
	for word; do
		case $word in
		-p | --purge) purge=yes ;;
		-*) usage "unrecognized arguments: $word" ;;
		*) app=$word ;;
		esac
	done
	[ -n "$app" ] || usage 'the following arguments are required: app'
	assert_installed "$app"
	op_start app_remove "$app"
	! has fail || fail "could not remove $app"
	middle "removing $app"
	remove_it "$app" "$purge"
	if has half; then
		# Its script failed, and nobody is told.
		mkdir -p "$dir/www/$app"
		warning "$app has not been properly removed"
	fi
	op_end true
}

remove_it() {
	rm -rf "$dir/apps/$1" "$dir/www/$1" "$dir/services/$1" \
		"$dir/permissions/$1.main"
	[ "$2" != yes ] || rm -rf "$dir/data/$1" "$dir/elsewhere/$1"
}

# safety_backup ID: its name in $safety.
safety_backup() {
	safety=$1-pre-upgrade1 other=$1-pre-upgrade2
	if [ -d "$dir/backups/$safety" ]; then
		safety=$1-pre-upgrade2 other=$1-pre-upgrade1
	fi
	mkdir -p "$dir/backups/$safety"
	cp -R "$dir/apps/$1" "$dir/backups/$safety/"
	rm -rf "${dir:?}/backups/$other"
}

app_upgrade() {
	apps='' force=no backup=yes
	while [ $# -gt 0 ]; do
		case $1 in
		-u | --url | -f | --file)
			[ $# -ge 2 ] || usage "argument $1: expected one argument"
			shift
			;;
		-F | --force) force=yes ;;
		-b | --no-safety-backup) backup=no ;;
		-c | --continue-on-failure) ;;
		-*) usage "unrecognized arguments: $1" ;;
		*) apps="$apps $1" ;;
		esac
		shift
	done
	[ -n "$apps" ] || apps=$(names "$dir/apps" | tr '\n' ' ')
	[ -n "${apps# }" ] || fail 'all apps are already up to date'
	for app in $apps; do
		assert_installed "$app"
	done
	for app in $apps; do
		upgrade_it "$app"
	done
	info 'Success! upgrade completed'
}

upgrade_it() {
	next=$(of_catalog "$(base_id "$1")" version 2> /dev/null)
	if [ "$next" = "$(cat "$dir/apps/$1/version")" ] && [ "$force" = no ]; then
		has fine || fail "$1 is already up to date"
		info "Success! $1 is already up to date"
		return
	fi
	[ "$backup" = no ] || safety_backup "$1"
	op_start app_upgrade "$1"
	middle "upgrading $1"
	if has fail || has half; then
		warning 'upgrade failed, restoring the safety backup'
		remove_it "$1" no
		if has half || [ "$backup" = no ]; then
			half_done "$1 could not be upgraded, and is gone"
		fi
		cp -R "$dir/backups/$safety/$1" "$dir/apps/$1"
		bring_up "$1"
		half_done "$1 could not be upgraded"
	fi
	printf '%s\n' "$next" > "$dir/apps/$1/version"
	op_end true
}

# --- Backups ----------------------------------------------------------------

# words_after OPTION ARGUMENT…: what follows it up to the next option; fails
# when it isn't there.
words_after() {
	option=$1 found=no taking=no
	shift
	for word; do
		case $word in
		"$option") found=yes taking=yes ;;
		-*) taking=no ;;
		*) [ "$taking" = no ] || printf '%s\n' "$word" ;;
		esac
	done
	[ "$found" = yes ]
}

# option_of NAMES ARGUMENT…: the one value of an option.
option_of() {
	option=$1
	shift
	while [ $# -gt 1 ]; do
		case " $option " in *" $1 "*) printf '%s' "$2" && return ;; esac
		shift
	done
}

backup_create() {
	name=$(option_of '-n --name' "$@")
	[ -n "$name" ] || name=$(date -u +%Y%m%d-%H%M%S)
	is_archive "$name" || fail "'$name' is no name of an archive"
	[ ! -e "$dir/backups/$name" ] ||
		fail "a backup archive named $name already exists"
	if ! apps=$(words_after --apps "$@") || [ -z "$apps" ]; then
		apps=$(names "$dir/apps")
	fi
	op_start backup_create "$name"
	! has fail || fail 'there was nothing to save'
	middle 'collecting files'
	mkdir -p "$dir/backups/$name"
	results='' outcome=Success saved=no
	! has half || outcome=Error
	for app in $apps; do
		is_installed "$app" || {
			warning "$app is not installed and can't be saved"
			continue
		}
		[ "$outcome" = Error ] ||
			cp -R "$dir/apps/$app" "$dir/backups/$name/"
		results="$results${results:+, }$(js "$app"): \"$outcome\""
		saved=yes
	done
	if [ "$saved" = no ] && ! words_after --system "$@" > /dev/null; then
		rm -rf "${dir:?}/backups/$name"
		fail 'there was nothing to save'
	fi
	op_end true
	[ "$json" != yes ] || printf \
		'{"name": %s, "size": 10240, "results": {"apps": {%s}, "system": {}}}\n' \
		"$(js "$name")" "$results"
}

# Oldest first.
archives() {
	[ -d "$dir/backups" ] || return 0
	# shellcheck disable=SC2012 # names of ours
	ls -tr "$dir/backups"
}

backup_list() {
	info=no
	for word; do
		case $word in
		-i | --with-info) info=yes ;;
		-H | --human-readable) ;;
		*) usage "unrecognized arguments: $word" ;;
		esac
	done
	if [ "$json" != yes ]; then
		archives
	elif [ "$info" = no ]; then
		printf '{"archives": %s}\n' "$(archives | list_of)"
	else
		printf '{"archives": {'
		archives | {
			comma=
			while IFS= read -r name; do
				printf '%s%s: %s' "$comma" "$(js "$name")" \
					"$(archive_info "$name")"
				comma=', '
			done
		}
		printf '}}\n'
	fi
}

archive_info() {
	printf '{"path": %s, "description": "", "size": 10240, "apps": {' \
		"$(js "/home/yunohost.backup/archives/$1.tar")"
	names "$dir/backups/$1" | {
		comma=
		while IFS= read -r app; do
			printf '%s%s: {"version": %s}' "$comma" "$(js "$app")" \
				"$(js "$(cat "$dir/backups/$1/$app/version")")"
			comma=', '
		done
	}
	printf '}, "system": {}}'
}

backup_info() {
	[ $# -ge 1 ] || usage 'the following arguments are required: name'
	is_archive "$1" && [ -d "$dir/backups/$1" ] ||
		fail "unknown backup archive $1"
	archive_info "$1"
	echo
}

backup_restore() {
	name=${1-}
	case $name in '' | -*) usage 'the following arguments are required: name' ;;
	esac
	is_archive "$name" && [ -d "$dir/backups/$name" ] ||
		fail "unknown backup archive $name"
	if ! apps=$(words_after --apps "$@") || [ -z "$apps" ]; then
		apps=$(names "$dir/backups/$name")
	fi
	case " $* " in
	*' --force '*) ;;
	*) [ ! -e "$dir/installed" ] || fail 'could not restore the system' ;;
	esac
	op_start backup_restore "$name"
	! has fail || fail 'nothing was restored'
	middle 'preparing the restoration'
	restored='' results=
	for app in $apps; do
		outcome=Error
		if is_installed "$app"; then
			warning "$app is already installed and is not restored"
		elif [ -d "$dir/backups/$name/$app" ] && ! has half; then
			cp -R "$dir/backups/$name/$app" "$dir/apps/$app"
			bring_up "$app"
			restored=yes outcome=Success
		fi
		results="$results${results:+, }$(js "$app"): \"$outcome\""
	done
	[ -n "$restored" ] || half_done 'nothing was restored'
	op_end true
	[ "$json" != yes ] || printf '{"apps": {%s}, "system": {}}\n' "$results"
}

backup_delete() {
	[ $# -ge 1 ] || usage 'the following arguments are required: name'
	for name; do
		is_archive "$name" && [ -d "$dir/backups/$name" ] ||
			fail "unknown backup archive $name"
	done
	for name; do
		op_start backup_delete "$name"
		! has fail || fail "could not delete $name"
		middle "deleting $name"
		rm -rf "${dir:?}/backups/$name"
		op_end true
	done
}

# --- Services and permissions ------------------------------------------------

service_fields() {
	printf '{"status": %s, "start_on_boot": "enabled", "description": ""}' \
		"$(js "$(cat "$dir/services/$1")")"
}

service_status() {
	if [ $# -eq 1 ]; then
		assert_service "$1"
		service_fields "$1"
		echo
		return
	fi
	printf '{'
	names "$dir/services" | {
		comma=
		while IFS= read -r name; do
			printf '%s%s: %s' "$comma" "$(js "$name")" \
				"$(service_fields "$name")"
			comma=', '
		done
	}
	printf '}\n'
}

assert_service() {
	case $1 in */*) fail "unknown service '$1'" ;; esac
	[ -e "$dir/services/$1" ] || fail "unknown service '$1'"
}

# move_service STATUS NAME…
move_service() {
	to=$1
	shift
	for name; do
		assert_service "$name"
		! has fail || fail "could not do that to the service $name"
		middle "$name: $to"
		echo "$to" > "$dir/services/$name"
	done
}

service_start() {
	move_service running "$@"
}

service_stop() {
	move_service dead "$@"
}

assert_permission() {
	case $1 in */*) fail "unknown permission '$1'" ;; esac
	[ -e "$dir/permissions/$1" ] || fail "unknown permission '$1'"
}

user_permission_info() {
	[ $# -ge 1 ] || usage 'the following arguments are required: permission'
	assert_permission "$1"
	printf '{"label": "", "allowed": %s}\n' \
		"$(list_of < "$dir/permissions/$1")"
}

# A user or group that nobody knows is refused; others are warned of.
user_permission_add() {
	permission=$1
	shift
	assert_permission "$permission"
	for name; do
		case $name in visitors | all_users | admins) continue ;; esac
		[ -e "$dir/users/$name" ] || fail "unknown group '$name'"
	done
	op_start user_permission_add "$permission"
	middle "adding to $permission"
	for name; do
		grep -qx "$name" "$dir/permissions/$permission" ||
			echo "$name" >> "$dir/permissions/$permission"
	done
	op_end true
}

user_permission_remove() {
	permission=$1
	shift
	assert_permission "$permission"
	op_start user_permission_remove "$permission"
	middle "taking from $permission"
	for name; do
		grep -vx "$name" "$dir/permissions/$permission" \
			> "$dir/permissions/.new" || :
		mv "$dir/permissions/.new" "$dir/permissions/$permission"
	done
	op_end true
}

# --- The rest ---------------------------------------------------------------

tools_update() {
	middle 'updating the catalogue'
}

tools_postinstall() {
	domain='' username='' fullname='' password='' terms=no
	while [ $# -gt 0 ]; do
		case $1 in
		-d | --domain | -u | --username | -F | --fullname | -p | \
		    --password | --dyndns-recovery-password)
			[ $# -ge 2 ] || usage "argument $1: expected one argument"
			;;
		esac
		case $1 in
		-d | --domain) domain=$2 && shift ;;
		-u | --username) username=$2 && shift ;;
		-F | --fullname) fullname=$2 && shift ;;
		-p | --password) password=$2 && shift ;;
		--dyndns-recovery-password) shift ;;
		--i-have-read-terms-of-services) terms=yes ;;
		--ignore-dyndns | --force-diskspace) ;;
		*) usage "unrecognized arguments: $1" ;;
		esac
		shift
	done
	[ ! -e "$dir/installed" ] || fail 'YunoHost is already installed'
	[ -n "$username" ] && [ -n "$fullname" ] && [ -n "$password" ] &&
		[ -n "$domain" ] || fail 'username, fullname, password and' \
		'domain are required'
	is_domain "$domain" || fail "'$domain' is no valid domain name"
	is_user "$username" || fail "'$username' is no valid username"
	is_strong "$password" || fail 'the password needs at least 8 characters'
	[ "$terms" = yes ] || fail 'the terms of services must be accepted'
	postinstall_it
}

postinstall_it() {
	op_start tools_postinstall ''
	! has fail || fail 'postinstall failed'
	middle 'installing YunoHost'
	: > "$dir/domains/$domain"
	printf '%s' "$domain" > "$dir/main"
	! has half || half_done 'postinstall failed halfway'
	printf '%s\n%s\n' "$fullname" "$domain" > "$dir/users/$username"
	: > "$dir/installed"
	op_end true
	info 'Success! YunoHost is now configured'
}

tools_versions() {
	comma=
	printf '{'
	for part in yunohost yunohost-admin yunohost-portal moulinette ssowat; do
		printf '%s"%s": {"repo": "stable", "version": "%s"}' "$comma" \
			"$part" "$version"
		comma=', '
	done
	printf '}\n'
}

# What the name of an operation says: STAMP-OPERATION-THING.
describe() {
	what=${1#*-*-}
	printf '%s' "$what" | sed 's/_/ /g; s/-/ /'
}

op_fields() {
	printf '"name": %s, "path": %s, "description": %s, "success": ' \
		"$(js "$1")" "$(js "/var/log/yunohost/operations/$1.yml")" \
		"$(js "$(describe "$1")")"
	case $(cat "$dir/log/$1") in
	true) printf true ;;
	false) printf false ;;
	*) printf '"?"' ;;
	esac
	when='\1-\2-\3 \4:\5:\6'
	printf '%s' "$1" | sed "s/^\(....\)\(..\)\(..\)-\(..\)\(..\)\(..\).*/$when/" | {
		read -r when
		printf ', "started_at": "%s"' "$when"
	}
}

log_list() {
	limit=50
	while [ $# -gt 0 ]; do
		case $1 in
		-l | --limit)
			[ $# -ge 2 ] || usage "argument $1: expected one argument"
			limit=$2
			case $limit in
			'' | *[!0-9]*) usage "argument $1: invalid int value" ;;
			esac
			shift
			;;
		-d | --with-details | -s | --with-suboperations) ;;
		*) usage "unrecognized arguments: $1" ;;
		esac
		shift
	done
	if [ "$json" != yes ]; then
		names "$dir/log" | tail -n "$limit"
		return
	fi
	printf '{"operation": ['
	names "$dir/log" | tail -n "$limit" | {
		comma=
		while IFS= read -r name; do
			printf '%s{%s}' "$comma" "$(op_fields "$name")"
			comma=', '
		done
	}
	printf ']}\n'
}

log_show() {
	[ $# -ge 1 ] || usage 'the following arguments are required: path'
	case $1 in */*) fail "there is no operation log '$1'" ;; esac
	[ -e "$dir/log/$1" ] || fail "there is no operation log '$1'"
	printf '{%s}\n' "$(op_fields "$1")"
}

settings_get() {
	[ $# -ge 1 ] || usage 'the following arguments are required: key'
	case $1 in *[!a-z0-9_.]*) fail "unknown setting '$1'" ;; esac
	[ -e "$dir/settings/$1" ] || fail "unknown setting '$1'"
	if [ "$json" = yes ]; then
		js "$(cat "$dir/settings/$1")"
		echo
	else
		cat "$dir/settings/$1"
	fi
}

settings_set() {
	key=${1-}
	case $key in '' | *[!a-z0-9_.]*) fail "unknown setting '$key'" ;; esac
	value=$(option_of '-v --value' "$@")
	op_start settings_set "$key"
	middle "setting $key"
	printf '%s' "$value" > "$dir/settings/$key"
	op_end true
}

settings_list() {
	printf '{'
	names "$dir/settings" | {
		comma=
		while IFS= read -r key; do
			printf '%s%s: %s' "$comma" "$(js "$key")" \
				"$(js "$(cat "$dir/settings/$key")")"
			comma=', '
		done
	}
	printf '}\n'
}

# --- Command line -----------------------------------------------------------

mkdir -p "$dir" "$dir/domains" "$dir/users" "$dir/catalog" "$dir/apps" \
	"$dir/data" "$dir/www" "$dir/backups" "$dir/log" "$dir/switch" \
	"$dir/hook" "$dir/settings" "$dir/services" "$dir/permissions" \
	2> /dev/null || {
	printf 'Error: yunohost must be run as root\n' >&2
	exit 1
}
[ -e "$dir/main" ] || printf '' > "$dir/main"
trap '[ "$held" = no ] || { echo "out $$" >> "$dir/turns"; rm -f "$dir/lock"; }' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

eval "set -- $(cat <&3)"
exec 3<&-

# --output-as and its like may stand anywhere; the others stay in order.
count=$#
while [ "$count" -gt 0 ]; do
	word=$1
	shift
	count=$((count - 1))
	case $word in
	--output-as | --timeout)
		[ "$count" -gt 0 ] ||
			usage "argument $word: expected one argument"
		if [ "$word" = --output-as ]; then
			case $1 in
			json) json=yes ;;
			plain | none) json=no ;;
			*) usage "argument --output-as: invalid choice: '$1'" ;;
			esac
		fi
		[ "$word" != --timeout ] || patience=$1
		shift
		count=$((count - 1))
		;;
	--output-as=json) json=yes ;;
	--debug | --quiet) ;;
	*) set -- "$@" "$word" ;;
	esac
done

case ${1-} in
-v | --version)
	verb=tools-versions
	tools_versions
	leave 0
	;;
esac
[ $# -ge 2 ] || usage 'a category and an action are required'
verb=$1-$2
action=$1_$2
shift 2
case $verb in
user-permission)
	[ $# -ge 1 ] || usage 'an action is required'
	verb=$verb-$1
	action=${action}_$1
	shift
	;;
esac

case $verb in
tools-postinstall | tools-versions | backup-list | backup-restore | log-show) ;;
*)
	if [ ! -e "$dir/installed" ]; then
		# On stdout, as the real one.
		echo 'Error: YunoHost is not correctly installed.' \
			"Please execute 'yunohost tools postinstall'"
		leave 1
	fi
	;;
esac

case $verb in
app-list | app-info | domain-list | user-list | backup-list | backup-info | \
    log-list | log-show | tools-versions | settings-get | settings-list | \
    service-status | user-permission-info)
	"$action" "$@"
	;;
app-install | app-remove | app-upgrade | domain-add | domain-remove | \
    user-create | user-delete | backup-create | backup-restore | \
    backup-delete | settings-set | tools-postinstall | tools-update | \
    service-start | service-stop | user-permission-add | \
    user-permission-remove)
	lock
	read_switch
	"$action" "$@"
	if [ -x "$dir/hook/$verb" ]; then
		"$dir/hook/$verb" "$@"
	fi
	;;
*) usage "invalid choice: '$verb'" ;;
esac
leave 0
