# tap.sh - results of a shell test as TAP, and exact checks of a command; sourced
# shellcheck shell=sh
#
#   ok TEXT COMMAND…      passes when the command succeeds
#   skip TEXT WHY         not done, aloud
#   finish                the plan; call it last
#   until_ COMMAND…       waits until it succeeds, 20 s at most
#
# A command is run once and then looked at:
#
#   try COMMAND…          stdin as it is; the results are $status and the files
#                         $work/out and $work/err
#   is TEXT STATUS OUT ERR     all three are exactly these; OUT and ERR without
#                              their last newline, '' for nothing at all
#   like TEXT STATUS OUT ERR   the same with shell patterns for OUT and ERR
#   json TEXT FILTER      $work/out is JSON for which jq's FILTER is true
#
# $work, a directory, must be set before.
#
# $seed is what a script's random choices are made from: TOWERIFY_SEED; without
# it the same each time, so that what fails fails again, or a new one in a long
# run (TOWERIFY_FAULT_LONG).  A script that uses it prints it.
# shellcheck disable=SC2034,SC2154 # for those who source this; from them

tests=0
failed=0

newline='
'

if [ -n "${TOWERIFY_SEED-}" ]; then
	seed=$TOWERIFY_SEED
elif [ -n "${TOWERIFY_FAULT_LONG-}" ]; then
	seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
else
	seed=1
fi

pass() {
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

# fail TEXT: what explains it is read from stdin.
fail() {
	tests=$((tests + 1))
	failed=$((failed + 1))
	echo "not ok $tests - $1"
	tr -d '\0' | tail -n 60 | sed 's/^/# /'
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

ok() {
	what=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		pass "$what"
	else
		fail "$what" <"$work/said"
	fi
}

finish() {
	echo "1..$tests"
	[ "$failed" -eq 0 ]
}

# Polls: there is no event that a shell could wait for.
until_() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 400 ] || return 1
		sleep 0.05
	done
}

try() {
	status=0
	tried=$*
	"$@" >"$work/out" 2>"$work/err" || status=$?
}

# As it is in a variable: a last newline goes, a second one or none shows.
text_of() {
	text=$(tr '\0' '@' <"$1" && echo .)
	text=${text%.}
	case $text in
	'') ;;
	*"$newline") text=${text%"$newline"} ;;
	*) text="$text(no newline)" ;;
	esac
}

explain() {
	echo "command: $tried"
	echo "status $status, wanted $2"
	echo '--- stdout'
	cat "$work/out"
	[ "$out_text" = "$3" ] || printf -- '--- wanted\n%s\n' "$3"
	echo '--- stderr'
	cat "$work/err"
	[ "$err_text" = "$4" ] || printf -- '--- wanted\n%s\n' "$4"
}

is() {
	text_of "$work/out"
	out_text=$text
	text_of "$work/err"
	err_text=$text
	if [ "$status" -eq "$2" ] && [ "$out_text" = "$3" ] &&
	    [ "$err_text" = "$4" ]; then
		pass "$1"
	else
		explain "$@" >"$work/said"
		fail "$1" <"$work/said"
	fi
}

like() {
	text_of "$work/out"
	out_text=$text
	text_of "$work/err"
	err_text=$text
	matched=yes
	# shellcheck disable=SC2254 # a pattern
	case $out_text in $3) ;; *) matched=no ;; esac
	# shellcheck disable=SC2254
	case $err_text in $4) ;; *) matched=no ;; esac
	if [ "$status" -eq "$2" ] && [ "$matched" = yes ]; then
		pass "$1"
	else
		explain "$@" >"$work/said"
		fail "$1" <"$work/said"
	fi
}

json() {
	if ! command -v jq >/dev/null; then
		skip "$1" 'no jq'
	elif [ -s "$work/out" ] &&
	    jq -e "$2" "$work/out" >"$work/said" 2>&1; then
		pass "$1"
	else
		{
			echo "filter: $2"
			cat "$work/said" "$work/out"
		} >"$work/why"
		fail "$1" <"$work/why"
	fi
}
