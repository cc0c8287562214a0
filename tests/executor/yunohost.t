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
	-e "s|=/run/towerify-yunohost.lock|=$work/yunohost.lock|" \
	-e "s|=\$HOME/.towerify-yunohost.lock|=$work/yunohost.lock|" \
	-e "s|^YUNOHOST_HOMES=.*|YUNOHOST_HOMES=$state/home|" \
	-e "s|^YUNOHOST_PATIENCE=.*|YUNOHOST_PATIENCE=4|" \
	"$top/share/kinds/lib/yunohost" >"$work/lib"
text_of() {
	cat "$work/lib" "$top/share/kinds/yunohost-$1"
}

# yuno KIND [ARG VALUE]…: a job of one such step, with the parameters of all
yuno() {
	new
	s_param domain "${domain-example.org}"
	s_param path "${path-/blog}"
	s_param title "${title-}"
	[ -z "${password-}" ] || s_secret password "$password"
	another "$@"
}
# another KIND [ARG VALUE]…: a step more
another() {
	grep -q "^s_kind yunohost-$1 " "$prog" ||
		kind "yunohost-$1" "$(text_of "$1")"
	kind=$1
	shift
	use "yunohost-$kind" "$@"
	[ -z "${password-}" ] || uses password
}
# app [ARG VALUE]…
app() {
	yuno app state present version '' from '' label '' force false \
		backup true purge false args '' "$@"
}
answers='domain={{domain}}&path={{path}}&title={{ title }}&password={{password}}'
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
	rm -f "$spool/held" "$state"/switch/*
	: >"$state/calls"
}
newest() {	# newest VERSION: what the host's catalogue has
	sed -i "s/^version .*/version $1/" "$state/catalog/blog"
}
again() {	# a fresh one of 1.0~ynh1, with its data
	rm -rf "$state"/apps/* "$state"/www/* "$state"/data/* \
		"$state"/services/* "$state"/permissions/* "$state/backups"/*
	newest 1.0~ynh1
	yunohost app install blog --args 'domain=example.org&path=/blog'
	echo precious >"$state/data/blog/file"
	forget
}
data_is_there() {
	[ "$(cat "$state/data/blog/file")" = precious ]
}

# --- installs

title='Été & "co" %2B' password="it's a long =&%/word é"
app id blog args "$answers" version 1.0~ynh1
start
ok 'an install' is 'life 1; start 1; run 1 1; end 1 done verify 0; verdict succeeded'
ok '... names its operation' has 'app_install-blog, success: true'
ok '... is there' version_is blog 1.0~ynh1
ok '... with all of its answers, whatever they are' test \
	"$(cat "$state/apps/blog/title")" = "$title"
ok '... and neither a terminal nor another language' sh -c \
	'! grep -v "LC_ALL=C.UTF-8 terminal=no" "$1"' - "$state/calls"
ok '... its program holds no password' sh -c '! grep -q "long =" "$1"' - "$prog"
forget
app id blog args "$answers"
start
ok 'what is there is unchanged' is 'life 1; start 1; end 1 unchanged check 0; verdict succeeded'
path=/other
app id blog args "$answers"
start
ok 'one elsewhere is not taken for it' is 'life 1; start 1; end 1 failed check 126; verdict rolled-back'
ok '... and why is said' has 'installed already, at example.org/blog'
app id blog__3 args "$answers"
start
ok 'an id that YunoHost would not give' says '[0-9]* [0-9]* end 1 failed prepare 1'
ok '... is refused with the one it would' has 'install it as blog__2, not as blog__3'
app id blog__2 args "$answers"
fails
ok 'a second instance is undone' verdict rolled-back
ok '... and it alone' test -d "$state/apps/blog" -a ! -e "$state/apps/blog__2"
ok '... its data too' test ! -e "$state/data/blog__2" -a -e "$state/data/blog"
app id blog__2 args "$answers"
start
ok 'a second instance' version_is blog__2 1.0~ynh1
path=/blog

# The password is looked for while the install runs, in every command line.
again
yunohost app remove blog --purge
wrong app-install slow 2
app id blog args "$answers"
start_bg
until_ test -s "$state/lock"
printf 'long =\nlong%%20\n' >"$work/patterns"
ok 'a password is in no list of processes' sh -c \
	'! cat /proc/[0-9]*/cmdline 2>/dev/null | grep -aqFf "$1"' - "$work/patterns"
wait "$sender"
ok '... of an install that goes well' verdict succeeded
mv "$work/bin/yunohost" "$work/bin/kept"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$top/tests/lib/yunohost" >"$work/bin/yunohost"
sed -i "s|exec|YUNOHOST_STANDIN=$state exec|" "$work/bin/yunohost"
chmod 755 "$work/bin/yunohost"
yunohost app remove blog --purge
forget
app id blog args "$answers"
start
ok 'where yunohost is no Python it is not given any' verdict rolled-back
ok '... which is said' has 'no Python script'
ok '... and nothing is begun' calls 0 app-install
rm "$work/bin/yunohost"
app id blog args "$answers"
start
ok 'a host without YunoHost' is 'life 1; start 1; end 1 failed check 126; verdict rolled-back'
ok '... is told so' has 'this is not a YunoHost host'
mv "$work/bin/kept" "$work/bin/yunohost"
mv "$state/installed" "$state/uninstalled"
app id blog args "$answers"
start
ok 'one before postinstall, too' is 'life 1; start 1; end 1 failed check 126; verdict rolled-back'
ok '... in its own words' has 'not correctly installed'
mv "$state/uninstalled" "$state/installed"

forget
wrong app-install fail
app id blog args "$answers"
start
ok 'an install that fails' is 'life 1; start 1; run 1 1; end 1 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'
ok '... has its name in the record' has 'app_install-blog, success: false'
for how in 'half' 'half lost' lie crash; do
	# shellcheck disable=SC2086 # words
	wrong app-install $how
	app id blog args "$answers"
	start
	ok "an install that goes $how is undone" verdict rolled-back
	ok '... and leaves nothing' test ! -e "$state/apps/blog" -a \
		! -e "$state/data/blog" -a ! -e "$state/www/blog"
done
mkdir "$state/data/blog"
echo precious >"$state/data/blog/file"
app id blog args "$answers"
fails
ok 'data that were there before an install' verdict rolled-back
ok '... outlive its undo' data_is_there
rm -r "$state/data/blog"
mkdir -p "$state/elsewhere/blog"
app id blog args "$answers"
fails
ok 'data where nobody looked before an install, too' test -d "$state/elsewhere/blog"
ok '... and that they are there is said' has "$state/elsewhere/blog"
rm -rf "$state/elsewhere" "$state/data/blog"
forget
app id blog args "$answers"
wrong app-remove half
fails
ok 'an undo whose removal leaves files is no good one' verdict failed
ok '... and says which' has "there is still $state/www/blog"
forget
rm -rf "$state/www/blog"
mkdir "$state/data/blog"
app id blog args "$answers"
wrong app-remove half
fails
ok '... nor one where data were there before' verdict failed
forget
rm -rf "$state/www/blog" "$state/data/blog"
app id blog args "$answers"
wrong app-remove lie
fails
ok 'an undo whose removal does nothing, too' verdict failed
ok '... and says so' has 'blog could not be removed'
forget
app id none args "$answers"
start
ok 'an app that YunoHost does not know' verdict rolled-back
ok '... was not begun' has 'log: none'
newest 0.9~ynh1
yunohost app remove blog --purge
app id blog args "$answers" version 1.0~ynh1
start
ok 'an older one than the catalogue promised is undone' verdict rolled-back
ok '... with its version' has 'blog is at 0.9~ynh1, older than 1.0~ynh1'
ok '... and is gone' test ! -e "$state/apps/blog"

# --- upgrades

again
newest 1.1~ynh1
app id blog version 1.1~ynh1
start
ok 'an upgrade' is 'life 1; start 1; run 1 1; end 1 done verify 0; verdict succeeded'
ok '... is there' version_is blog 1.1~ynh1
ok '... was saved before' has 'blog 1.0~ynh1 is saved in the archive blog-'
ok '... once' calls 1 backup-create
forget
app id blog version 1.1~ynh1
start
ok 'what is new enough is unchanged' is 'life 1; start 1; end 1 unchanged check 0; verdict succeeded'
ok '... without a command' calls 0 app-upgrade
for how in fail 'fail lost' half 'half lost' lie crash; do
	again
	newest 1.1~ynh1
	# shellcheck disable=SC2086 # words
	wrong app-upgrade $how
	app id blog version 1.1~ynh1
	start
	ok "an upgrade that goes $how is undone" verdict rolled-back
	ok '... to the old version' version_is blog 1.0~ynh1
	ok '... with its data' data_is_there
done
again
newest 1.1~ynh1
app id blog version 1.1~ynh1
fails
ok 'a good upgrade is undone, too' verdict rolled-back
ok '... to the old version' version_is blog 1.0~ynh1
ok '... with its data' data_is_there
for how in fail lie half; do
	again
	newest 1.1~ynh1
	wrong backup-create $how
	app id blog version 1.1~ynh1
	start
	ok "a backup that goes $how" is 'life 1; start 1; end 1 failed prepare 1; verdict rolled-back'
	ok '... begins no upgrade' calls 0 app-upgrade
done
again
newest 1.1~ynh1
app id blog version 1.1~ynh1
does "rm -r $state/backups/*; exit 1"
undo nothing
start
ok 'an undo whose archive is gone' verdict failed
ok '... removes nothing' calls 0 app-remove
ok '... and says why' has 'is gone: blog is left as it is'
for how in fail lie half; do
	again
	newest 1.1~ynh1
	wrong app-upgrade half
	wrong backup-restore $how
	app id blog version 1.1~ynh1
	start
	ok "a restore that goes $how is no undo" verdict failed
	ok '... and says what is to be restored' has 'blog 1.0~ynh1 could not be restored of blog-'
done
again
for how in fail fine; do
	wrong app-upgrade $how
	forget
	app id blog version 1.1~ynh1
	start
	ok 'an upgrade to what the host does not know' verdict rolled-back
	ok '... leaves all as it was' has 'was not touched'
	ok '... and restores nothing' calls 0 backup-restore
done

# --- removals

again
app id blog state absent
start
ok 'a removal' is 'life 1; start 1; run 1 1; end 1 done verify 0; verdict succeeded'
ok '... leaves the data' data_is_there
ok '... and an archive' sh -c 'ls "$1"/backups/blog-*/blog' - "$state"
app id blog state absent
start
ok 'what is gone is unchanged' verdict succeeded
again
app id blog state absent
fails
ok 'a removal is undone' version_is blog 1.0~ynh1
for how in lie half fail crash; do
	again
	wrong app-remove $how
	app id blog state absent
	start
	ok "a removal that goes $how is undone" verdict rolled-back
	ok '... and the app is there' version_is blog 1.0~ynh1
done
again
wrong backup-create lie
app id blog state absent
start
ok 'what was not saved is not removed' version_is blog 1.0~ynh1
ok '... nor tried to' calls 0 app-remove
again
app id blog state absent backup false
start
ok 'without a backup there is no way back' says '[0-9]* [0-9]* end 1 failed prepare 1'
app id blog state absent backup false purge true
undo impossible
start
ok '... but where that is known' verdict succeeded
ok '... and none is made' calls 0 backup-create
ok '... and data may go with it' test ! -e "$state/data/blog"

# --- two at once, busy hosts

again
yunohost app remove blog --purge
wrong app-install slow 1
touch "$state/switch/race"
: >"$state/turns"
app id blog args "$answers"
start_bg
first=$out second=$sender
until_ grep -q '^in' "$state/turns"
out=$work/out.2
(
	spool=$work/spool.2 out=$work/out.2
	init
	yuno domain name other.org
	start
	verdict succeeded
) >"$work/other" 2>&1 &
other=$!
wait "$second"
out=$first
ok 'two towers at once: the one' verdict succeeded
ok '... and the other' wait "$other"
ok '... took turns' test "$(cut -d ' ' -f 1 "$state/turns" | tr '\n' ' ')" \
	= 'in out in out '
rm -f "$state/switch/race"
sleep 60 &
holder=$!
printf '%s' "$holder" >"$state/lock"
app id blog state absent
undo impossible
start
ok 'a YunoHost that is busy for long' verdict failed
ok '... is not waited for without an end' has 'another YunoHost command is running'
kill "$holder"
rm -f "$state/lock"
forget

# --- killed in the midst

again
newest 1.1~ynh1
wrong app-upgrade slow 30
app id blog version 1.1~ynh1
start_bg
until_ grep -q . "$state/lock"
until_ sh -c 'ls "$1" | grep -q app_upgrade' - "$state/log"
kill -KILL "$(executor)"
wait "$sender" || :
rm -f "$state"/switch/*
: >"$state/calls"
send resume
ok 'an executor killed in an upgrade' verdict rolled-back
ok '... restores the old version' version_is blog 1.0~ynh1
ok '... and upgrades no second time' calls 0 app-upgrade
ok '... with its data' data_is_there
again
yunohost app remove blog --purge
wrong app-install half slow 30
app id blog args "$answers"
start_bg
until_ sh -c 'ls "$1" | tail -n 1 | grep -q app_install' - "$state/log"
until_ grep -q . "$state/lock"
kill -KILL "$(executor)"
wait "$sender" || :
rm -f "$state"/switch/*
: >"$state/calls"
send resume
ok 'an executor killed in an install' verdict failed
ok '... does not know whose it is' has 'whether the app blog is this change'
ok '... removes nothing' calls 0 app-remove
ok '... and installs no second time' calls 0 app-install
rm -rf "$state"/apps/* "$state"/www/* "$state"/data/*

# --- domains, users, permissions, services

forget
yuno domain name new.example.org
start
ok 'a domain' test -e "$state/domains/new.example.org"
yuno domain name new.example.org
fails
ok 'one that was there stays when all is undone' test -e "$state/domains/new.example.org"
yuno domain name two.example.org
fails
ok 'one that was made goes' test ! -e "$state/domains/two.example.org"
for how in lie half 'half lost' fail; do
	# shellcheck disable=SC2086 # words
	wrong domain-add $how
	yuno domain name two.example.org
	start
	ok "a domain that goes $how is undone" verdict rolled-back
	ok '... and is not there' test ! -e "$state/domains/two.example.org"
done

# Somebody else is at work there as well, for as long as it takes.
sed -i 's|^YUNOHOST_PATIENCE=.*|YUNOHOST_PATIENCE=60|' "$work/lib"
meanwhile() {	# meanwhile COMMAND…: while this step's command waits
	: >"$work/yunohost.lock"
	sleep 600 &
	person=$!
	echo "$person" >"$state/lock"
	start_bg
	until_ is_locked || {
		kill "$person"
		exit 1
	}
	"$@"
	rm "$state/lock"
	kill "$person"
	wait "$sender" || :
}
is_locked() {
	! flock -n "$work/yunohost.lock" true
}
theirs() {	# theirs DOMAIN: as a person's command would do it
	: >"$state/domains/$1"
	printf true >"$state/log/20990101-000000-domain_add-$1"
}
their_app() {
	yunohost_now app install blog --args 'domain=example.org&path=/their'
}
yunohost_now() {	# as a child of who has the lock
	sh -c 'echo $$ >"$0/lock"; exec "$@"' "$state" \
		"$work/bin/yunohost" "$@" </dev/null >"$work/yunohost.out" 2>&1
	echo "$person" >"$state/lock"
}
yuno domain name two.example.org
does 'exit 1'
undo nothing
meanwhile theirs two.example.org
ok 'a domain that somebody else adds meanwhile' verdict rolled-back
ok '... is not taken away' test -e "$state/domains/two.example.org"
rm -f "$state/domains/two.example.org" "$state"/log/2099*
yuno domain name two.example.org
does 'exit 1'
undo nothing
meanwhile theirs three.example.org
ok '... another one is not taken for it' says '[0-9]* [0-9]* end 1 done *'
ok '... and it goes' test ! -e "$state/domains/two.example.org"
wrong domain-add fail
yuno domain name two.example.org
meanwhile theirs four.example.org
ok '... nor for a success' has 'the domain two.example.org was not added'
rm -f "$state"/domains/t*.example.org "$state"/log/2099*

text_of() {	# at the very moment that run begins
	cat "$work/lib"
	sed "s|^run() {|&\n$early|" "$top/share/kinds/yunohost-$1"
}
early=": >'$state/domains/two.example.org'"
yuno domain name two.example.org
fails
ok 'one that is there as the step begins' has 'by somebody else meanwhile'
ok '... is not taken away' test -e "$state/domains/two.example.org"
rm "$state/domains/two.example.org"
early="echo Eve >'$state/users/eve'"
yuno user name eve fullname Eve domain '' password '{{password}}'
fails
ok '... nor a user' test -e "$state/users/eve"
rm "$state/users/eve"
again
rm -rf "$state"/apps/* "$state"/www/* "$state"/data/*
early="'$work/bin/yunohost' app install blog --args 'domain=example.org\&path=/blog' 9>\&- </dev/null"
app id blog args "$answers"
fails
ok '... nor an app' test -e "$state/apps/blog" -a -e "$state/data/blog"
ok '... which is as asked' says '[0-9]* [0-9]* end 1 done *'
again
early="echo bob >>'$state/permissions/blog.main'"
yuno permission permission blog names 'bob carol' state allowed
fails
ok '... nor who may use it' grep -qx bob "$state/permissions/blog.main"
ok '... but for who this step let in' sh -c '! grep -qx carol "$1"' - \
	"$state/permissions/blog.main"
text_of() {
	cat "$work/lib" "$top/share/kinds/yunohost-$1"
}
rm -rf "$state"/apps/* "$state"/www/* "$state"/data/*
forget
app id blog args "$answers"
meanwhile their_app
ok 'two at once of one app' verdict failed
ok '... stay both, for a person to say whose is whose' test \
	-e "$state/apps/blog" -a -e "$state/apps/blog__2"
rm -rf "$state"/apps/* "$state"/www/* "$state"/data/*
forget

# What nobody saw the end of may be somebody else's.
eve() {
	yuno user name eve fullname Eve domain '' password '{{password}}'
}
their_eve() {	# their_eve [HOW]: as a person's command does it
	echo Theirs >"$state/users/eve"
	printf '%s' "${1:-true}" >"$state/log/20990101-000000-user_create-eve"
}
cancelled() {	# cancelled COMMAND…: that, and a cancel, in the wait
	meanwhile in_wait "$@"
	wait "$canceller" || :
}
in_wait() {
	"$@"
	request resume cancel=anna >"$work/in.cancel"
	sh -c "$remote" <"$work/in.cancel" >"$work/out.cancel" 2>&1 &
	canceller=$!
	until_ has 'cancel anna' "$spool/jobs/$job/events"
}
theirs_stays() {
	grep -qx Theirs "$state/users/eve" && calls 0 user-delete
}
away() {
	rm -rf "$state/users/eve" "$state/home/eve" "$state"/log/2099*
	forget
}
eve
cancelled their_eve
ok 'a user that somebody else makes, and a cancel in the wait' verdict failed
ok '... stays' theirs_stays
ok '... for a person to say whose it is' has 'whether the user eve is this change'
away
eve
cancelled true
ok 'one that nobody made by then is no question' verdict rolled-back
yuno domain name two.example.org
cancelled theirs two.example.org
ok 'a domain, too' verdict failed
ok '... stays' test -e "$state/domains/two.example.org"
rm -f "$state/domains/two.example.org" "$state"/log/2099*
forget
sed -i 's|^YUNOHOST_PATIENCE=.*|YUNOHOST_PATIENCE=4|' "$work/lib"
in_time() {	# in_time COMMAND…: that, and the command's patience ends
	"$@"
	wait "$sender" || :
}
eve
meanwhile in_time their_eve '?'
ok 'one that is still being made when patience ends' verdict failed
ok '... stays' theirs_stays
away

text_of() {	# theirs comes after the line that begins with $after
	cat "$work/lib"
	sed "s|^$after.*|&\n$early|" "$top/share/kinds/yunohost-$1"
}
retries() {
	sed -i 's/^s_step 1 \([^ ]*\) 60 0 0 /s_step 1 \1 60 1 0 /' "$prog"
}
early="echo Theirs >'$state/users/eve'"
after='[[:space:]]*echo "the user $arg_name was not made'
wrong user-create fail
eve
retries
fails
ok 'one that somebody makes after an attempt has failed' is 'life 1; start 1; run 1 1; try 1 1 failed run 1; end 1 done check 0; start 2; run 2 1; end 2 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'
ok '... stays' theirs_stays
away
early="$early; printf true >'$state/log/20990101-000000-user_create-eve'"
after='is_there() {'
wrong user-create fail
eve
start
ok '... or before anybody looked' verdict failed
ok '... stays' theirs_stays
away
early="'$work/bin/yunohost' app install blog --args 'domain=example.org\&path=/blog' 9>\&- </dev/null"
after='[[:space:]]*echo "$arg_id was not $1, or not well'
wrong app-install fail
app id blog args "$answers"
retries
fails
ok 'an app, too' verdict rolled-back
ok '... stays' test -e "$state/apps/blog" -a -e "$state/www/blog"
ok '... with its second attempt done' says '[0-9]* [0-9]* end 1 done check 0'
text_of() {
	cat "$work/lib" "$top/share/kinds/yunohost-$1"
}
rm -rf "$state"/apps/* "$state"/www/* "$state"/data/*
forget

yuno user name bob fullname 'Bob Ö.' domain '' password '{{password}}'
start
ok 'a user' grep -qx 'Bob Ö.' "$state/users/bob"
ok '... whose password nobody said' sh -c '! grep -aq "long =" "$1" "$2"' - \
	"$out" "$prog"
yuno user name bob fullname 'Other' domain '' password '{{password}}'
fails
ok 'one that was there stays' grep -qx 'Bob Ö.' "$state/users/bob"
yuno user name eve fullname Eve domain '' password '{{password}}'
fails
ok 'one that was made goes' test ! -e "$state/users/eve"
ok '... with its home' test ! -e "$state/home/eve"
mkdir -p "$state/home/eve"
yuno user name eve fullname Eve domain '' password '{{password}}'
fails
ok 'one whose home was there before goes' test ! -e "$state/users/eve"
ok '... without that' test -d "$state/home/eve"
wrong user-create lie
yuno user name eve fullname Eve domain '' password '{{password}}'
start
ok 'one that is not made is no success' verdict rolled-back

again
allowed() {
	have=$(tr '\n' ' ' <"$state/permissions/blog.main")
	[ "$have" = "$1" ] || { echo "allowed: $have"; return 1; }
}
yuno permission permission blog names 'bob visitors' state allowed
start
ok 'a permission' allowed 'all_users bob visitors '
yuno permission permission blog.main names 'bob admins' state allowed
fails
ok 'its undo takes back what it gave, and no more' allowed 'all_users bob visitors '
yuno permission permission blog names 'bob admins' state denied
start
ok 'one that is taken' allowed 'all_users visitors '
yuno permission permission blog names 'all_users' state denied
fails
ok 'comes back' allowed 'visitors all_users '
wrong user-permission-remove lie
yuno permission permission blog names 'bob admins' state allowed
fails
ok 'one that does not go again is no good undo' verdict failed
ok '... and says whose' has 'blog.main of bob is not as it was'
forget
yuno permission permission blog names 'bob admins' state denied
start
wrong user-permission-add lie
yuno permission permission blog names bob state allowed
start
ok 'one that is not given is no success' verdict rolled-back
yuno permission permission wiki names bob state allowed
start
ok 'one that does not exist' says '[0-9]* [0-9]* end 1 failed check 126'

service_is() {
	have=$(cat "$state/services/$1")
	[ "$have" = "$2" ] || { echo "service: $have"; return 1; }
}
echo running >"$state/services/blog-worker"
echo running >"$state/services/blogger"
yuno service app blog services '' state stopped
start
ok 'an app is stopped' service_is blog dead
ok '... all of it' service_is blog-worker dead
ok '... and nothing else' service_is blogger running
yuno service app blog services '' state running
fails
ok 'a start is undone' service_is blog-worker dead
wrong service-start lie
yuno service app blog services '' state running
start
ok 'one that does not start is no success' verdict rolled-back
rm "$state"/services/blog*
yuno service app blog services '' state running
start
ok 'an app without a service' has 'YunoHost knows no service of blog'
yuno service app wiki services '' state running
start
ok 'an app that is not there' has 'wiki is not installed'
finish
