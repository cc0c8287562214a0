#!/bin/sh
# embed.sh - print C source that holds a file as a string
#
#   embed.sh [--strip] NAME FILE
#   embed.sh --text FILE          only what --strip leaves of FILE
#
# The program needs its schema and its executor wherever it is installed, so
# they are compiled in.  Prints `const char NAME[]`, FILE's bytes with a NUL
# after them, and `const size_t NAME_len`, their number without the NUL.  Octal
# escapes have three digits each, so no byte can run into the next.
#
# --strip is for the executor, which travels with every contact: comment lines
# (but the first line), empty lines, leading blanks and the last newline go, for
# a command substitution would drop that.  It does not parse
# sh, so in such a program no here-document (`<<-` at most) and no quoted text
# of several lines depends on them.
set -eu

strip() {
	sed -e 's/^[[:blank:]]*//' -e '/^$/d' -e '2,$ { /^#/d; }' |
		awk 'NR > 1 { print line } { line = $0 } END { printf "%s", line }'
}

usage() {
	echo 'usage: embed.sh [--strip] NAME FILE | --text FILE' >&2
	exit 2
}

bytes="cat"
case ${1-} in
--text)
	[ $# -eq 2 ] || usage
	strip < "$2"
	exit
	;;
--strip)
	bytes="strip"
	shift
	;;
esac
[ $# -eq 2 ] || usage
if [ ! -r "$2" ]; then
	echo "embed.sh: $2: cannot read" >&2
	exit 1
fi

printf '/* made from %s by embed.sh */\n' "${2##*/}"
printf '#include <stddef.h>\n\n'
printf 'extern const char %s[];\nextern const size_t %s_len;\n\n' "$1" "$1"
printf 'const char %s[] =\n' "$1"
$bytes < "$2" | od -An -v -to1 | sed -e 's/[[:blank:]]*$//' \
    -e 's/[[:blank:]][[:blank:]]*/\\/g' -e 's/.*/	"&"/'
printf '	"";\nconst size_t %s_len = sizeof %s - 1;\n' "$1" "$1"
