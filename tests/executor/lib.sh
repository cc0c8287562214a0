# lib.sh - drives the executor over a pipe, as a tower would; sourced
# shellcheck shell=sh
#
# Each test file gets a directory and a spool of its own.  A request is built
# from the job's variables (nonce, job, seq …), sent as the tower sends it to
# the constant remote command, and its answer stands in $out.  Programs are
# written with the functions of the same names as in the program text.  $as, if
# set, is a command that runs the remote end as somebody else.

set -eu
LC_ALL=C.UTF-8
export LC_ALL

# $top is for the scripts that source this
# shellcheck disable=SC2034
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-executor.XXXXXX")
spool=$work/spool
out=$work/out
tests=0
failed=0
jobs_made=0
nonce=
job=
as=
keys=
# the remote command, word for word
# shellcheck disable=SC2016 # for the host's shell
remote='IFS= read -r n && t=$(LC_ALL=C head -c "$n") && '
remote=$remote'[ "${#t}" -eq "$n" ] && eval "$t"; exit 65'

text=$work/executor
sh "$top/share/embed.sh" --text "$top/share/host/executor.sh" >"$text"

# Ends what executors of this test's spools left, then goes.
tidy() {
	trap - EXIT
	grep -lsF -- "$work" /proc/[0-9]*/cmdline /proc/[0-9]*/environ |
	    cut -d / -f 3 | while read -r p; do
		[ "$p" = $$ ] || kill -KILL "$p" 2>/dev/null || :
	done
	! mountpoint -q "$work/small" 2>/dev/null || umount -l "$work/small"
	while [ "${boots:-0}" -gt 0 ]; do
		umount /proc/sys/kernel/random/boot_id
		boots=$((boots - 1))
	done
	rm -rf "$work" || { sleep 0.2; rm -rf "$work"; }
}
trap tidy EXIT
trap 'exit 1' HUP INT TERM

# Processes whose environment holds $1.
tagged() {
	grep -lsF -- "$1" /proc/[0-9]*/environ 2>/dev/null |
		sed 's|/proc/\([0-9]*\)/environ|\1|' || :
}

ok() {	# ok TEXT COMMAND…
	tests=$((tests + 1))
	what=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok $tests - $what"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $what"
		sed 's/^/# said: /' "$work/said"
		[ ! -e "$out" ] || tr -d '\0' <"$out" | tail -n 60 |
			cut -c 1-200 | sed 's/^/# out: /'
	fi
}

skip() {	# skip TEXT WHY
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

finish() {
	echo "1..$tests"
	[ "$failed" -eq 0 ]
}

# --- programs ----------------------------------------------------------------

quoted() {	# a single-quoted word
	printf "'%s'" "$(printf '%s.' "$1" | sed "s/'/'\\\\''/g")" |
		sed "\$s/\\.'\$/'/"
}

hex32() {
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# A new job: an empty program, new id and nonce, the next seq.
new() {
	jobs_made=$((jobs_made + 1))
	prog=$work/prog.$jobs_made
	blob=$work/blob.$jobs_made
	keys=$work/keys.$jobs_made
	: >"$prog"
	: >"$blob"
	: >"$keys"
	job=$(hex32)
	nonce=$(hex32)
	seq=$((${seq:-0} + 1))
	steps=0
}

s_param() { printf 's_param %s %s\n' "$1" "$(quoted "$2")" >>"$prog"; }

# A secret: its name goes into the program, its value apart.
s_secret() {
	printf 's_secret %s\n' "$1" >>"$prog"
	printf 'P_%s=%s\n' "$1" "$(quoted "$2")" >>"$keys"
}

# step [KIND [TIMEOUT [RETRIES [DELAY]]]]
step() {
	steps=$((steps + 1))
	printf "s_step %s %s %s %s %s 'step %s'\n" "$steps" "${1:-run}" \
		"${2:-60}" "${3:-0}" "${4:-0}" "$steps" >>"$prog"
}

# part PART TEXT of the last step
part() {
	printf 's_text %s %s %s\n' "$steps" "$1" "$(quoted "$2")" >>"$prog"
	[ "$1" != undo ] || printf 's_undo %s script\n' "$steps" >>"$prog"
}

# confirm SECONDS: the last step is to be confirmed
confirm() { printf 's_confirm %s %s\n' "$steps" "$1" >>"$prog"; }

# uses NAME…: the last step gets these secrets
uses() { printf 's_uses %s %s\n' "$steps" "$*" >>"$prog"; }

undo() { printf 's_undo %s %s\n' "$steps" "$1" >>"$prog"; }

# does TEXT [UNDO]: a whole step
does() {
	step
	part run "$1"
	[ -z "${2-}" ] || part undo "$2"
}

# file PATH MODE OWNER CONTENT-FILE: a whole step
file() {
	step file
	at=$(wc -c <"$blob")
	cat "$4" >>"$blob"
	printf 's_file %s %s %s %s %s %s %s\n' "$steps" "$(quoted "$1")" \
		"$2" "$3" "$at" "$(wc -c <"$4")" \
		"$(sha256sum <"$4" | cut -d ' ' -f 1)" >>"$prog"
	undo auto
}

# kind NAME TEXT: once in a job, before what uses it
kind() { printf 's_kind %s %s\n' "$1" "$(quoted "$2")" >>"$prog"; }

# use NAME [ARG VALUE]…: a whole step
use() {
	step
	printf 's_use %s %s\n' "$steps" "$1" >>"$prog"
	shift
	while [ $# -gt 0 ]; do
		arg "$1" "$2"
		shift 2
	done
	undo auto
}

# arg NAME VALUE of the last step
arg() { printf 's_arg %s %s %s\n' "$steps" "$1" "$(quoted "$2")" >>"$prog"; }

# content NAME FILE: an argument of the last step
content() {
	printf 's_content %s %s %s %s\n' "$steps" "$1" "$(wc -c <"$blob")" \
		"$(wc -c <"$2")" >>"$prog"
	cat "$2" >>"$blob"
}

# --- requests ----------------------------------------------------------------

sha() { sha256sum <"$1" | cut -d ' ' -f 1; }

# request VERB [KEY=VALUE…]: the bytes; later words win
request() {
	verb=$1
	shift
	wc -c <"$text" | tr -d ' '
	cat "$text"
	printf 'towerify1 %s nonce=%s spool=%s id=%s queue=%s epoch=1 ack=%s' \
		"$verb" "$nonce" "$spool" "${sid:--}" \
		"${queue:=$(hex32)}" "${ack:-0}"
	case $verb in
	start|resume|confirm)
		printf ' job=%s seq=%s life=0 offset=0 tower=tw1 host=h1 change=%s' \
			"$job" "$seq" "$seq"
		;;
	esac
	case $verb in
	start|plan)
		printf ' room=8192 steps=%s' "$steps"
		printf ' text=%s blob=%s textsha=%s blobsha=%s host=h1' \
			"$(wc -c <"$prog")" "$(wc -c <"$blob")" \
			"$(sha "$prog")" "$(sha "$blob")"
		;;
	esac
	case $verb in
	start|resume|confirm|plan)
		[ ! -s "$keys" ] || printf ' secret=%s secretsha=%s' \
			"$(wc -c <"$keys")" "$(sha "$keys")"
		;;
	esac
	[ -z "${more-}" ] || printf ' %s' "$more"
	[ $# -eq 0 ] || printf ' %s' "$@"
	echo
	case $verb in
	start|plan) cat "$prog" "$blob" "$keys" ;;
	resume|confirm) cat "$keys" ;;
	esac
}

# send VERB [KEY=VALUE…]: the answer is in $out
send() {
	request "$@" >"$work/in"
	$as setsid -w sh -c "$remote" <"$work/in" >"$out" 2>"$work/err" || :
}

# The same in the background: pid in $sender, answer in $out.
send_bg() {
	request "$@" >"$work/in.bg"
	: >"$out"
	$as sh -c "$remote" <"$work/in.bg" >"$out" 2>"$work/err" &
	sender=$!
}

init() {
	nonce=$(hex32)
	send init
	sid=$(sed -n "s/^@$nonce hello .* spool=\([^ ]*\) .*/\1/p" "$out")
}

# start the program made so far, to its end
start() {
	[ -n "${whole-}" ] || printf 's_end %s\n' "$steps" >>"$prog"
	send start "$@"
}

start_bg() {
	printf 's_end %s\n' "$steps" >>"$prog"
	send_bg start "$@"
}

# --- what came back ----------------------------------------------------------

# The events in $out, without number, time and mark: "start 1; run 1 1; …"
events() {
	tr -d '\0' <"$out" | sed -n \
		"s/^@$nonce [0-9]* [0-9]* \(.*\) \.$/\1/p" |
		sed 's/^life \([0-9]*\) .*/life \1/' | tr '\n' ';' |
		sed 's/;/; /g; s/; $//'
}

# is EVENTS: exactly these are in $out
is() {
	have=$(events)
	[ "$have" = "$1" ] || { echo "have: $have"; echo "want: $1"; return 1; }
}

# The same of the host's own record.
recorded() {
	have=$(sed 's/^[0-9]* [0-9]* //; s/^life \([0-9]*\) .*/life \1/' \
		"$spool/jobs/$job/events" | tr '\n' ';' |
		sed 's/;/; /g; s/; $//')
	[ "$have" = "$1" ] || { echo "have: $have"; echo "want: $1"; return 1; }
}

says() {	# a control line, or an event, that begins with this
	grep -aq "^@$nonce $1" "$out"
}

has() { grep -aqF -- "$1" "${2:-$out}"; }

lines() {	# lines N FILE
	[ "$(wc -l <"$2" 2>/dev/null || echo 0)" -eq "$1" ]
}

# The executor's process, once its pid file says so.
executor() {
	read -r _ pid _ <"$spool/jobs/$job/pid"
	echo "$pid"
}

# until_ COMMAND…: waits for it, 20 s at most.  Polls: there is no event that
# a shell could wait for.
until_() {
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 1000 ] || return 1
		sleep 0.02
	done
}

# kill -9 the executor while the file $1 exists
crash_at() {
	until_ test -e "$1"
	kill -KILL "$(executor)"
	wait "$sender" || :
}

gone() {	# the process is no more, or a zombie
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	''|Z*) return 0 ;;
	esac
	return 1
}
