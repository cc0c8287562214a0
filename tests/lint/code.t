#!/bin/sh
# code.t - what no C file of ours does (style.md)
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# Prints FILE without comments and string literals, lines kept.
bare() {
	awk '
	{
		line = $0
		out = ""
		while (line != "") {
			if (comment) {
				end = index(line, "*/")
				if (!end)
					break
				line = substr(line, end + 2)
				comment = 0
			} else if (substr(line, 1, 2) == "/*") {
				comment = 1
				line = substr(line, 3)
			} else if (substr(line, 1, 2) == "//") {
				break
			} else if (match(line, /^"([^"\\]|\\.)*"/) || \
			    match(line, /^'\''([^'\''\\]|\\.)*'\''/)) {
				out = out "\"\""
				line = substr(line, RLENGTH + 1)
			} else {
				out = out substr(line, 1, 1)
				line = substr(line, 2)
			}
		}
		print out
	}' "$1"
}

# grep_bare PATTERN FILE: matches outside comments and literals.
grep_bare() {
	bare "$2" | grep -nE "$1" | sed "s|^|$2:|" || :
}

banned='strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|strncpy'
banned="$banned|strncat|system|popen|tmpnam|mktemp|alloca"
rule_banned() {
	code "$1" | while IFS= read -r file; do
		grep_bare "\\<($banned) *\\(" "$file"
	done
}

# The library prints nothing and never ends the process; a child between fork
# and exec may _exit.
talk='printf|vprintf|puts|putchar|perror|exit|err|errx|warn|warnx|getopt'
rule_wall() {
	code "$1" | while IFS= read -r file; do
		case $file in "$1"/lib/*) ;; *) continue ;; esac
		grep_bare "\\<($talk) *\\(|\\<(stdout|stderr)\\>" "$file"
	done
}

# SQL belongs to the model, the store and the schema.
sql='SELECT|INSERT (OR [A-Z]+ )?INTO|UPDATE [a-z_]+ SET|DELETE FROM'
sql="$sql|(CREATE|DROP|ALTER) (TABLE|INDEX|TRIGGER|VIEW)|PRAGMA|BEGIN IMMEDIATE"
rule_sql() {
	code "$1" | while IFS= read -r file; do
		case ${file#"$1"/} in lib/store/* | lib/model/*) continue ;;
		esac
		grep -HnE "\"[[:space:]]*($sql)\\>" "$file" || :
	done
}

# Values are bound, never printed into a statement.
clauses='SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|VALUES'
rule_bound() {
	code "$1" | while IFS= read -r file; do
		grep -HnE "\"[^\"]*\\<($clauses)\\>[^\"]*%[-0-9.*]*[a-z]" \
			"$file" | grep -vE "%[^a-z]*'" || :
	done
}

# A file is one job: past 700 lines a word, past 800 a failure.  Tests, being
# tables, get the word alone.
rule_long_files() {
	{
		code "$1"
		files "$1" '*.[ch]' tests
	} | while IFS= read -r file; do
		lines=$(wc -l < "$file")
		path=${file#"$1"/}
		if [ "$lines" -gt 800 ] && [ "${path%%/*}" != tests ]; then
			echo "$file: $lines lines"
		elif [ "$lines" -gt 700 ]; then
			echo "# warning: $path: $lines lines" >&2
		fi
	done
}

# But for TAP scripts: the programs and texts in them are as wide as they are.
rule_long_lines() {
	{
		code "$1"
		files "$1" '*.[ch]' tests
		scripts "$1" | grep -v '\.t$'
		files "$1" '*.sql' share
		files "$1" '*.mk' bin lib man share tests
	} | while IFS= read -r file; do
		expand "$file" | grep -nE '^.{101}' |
			sed "s|^\([0-9]*\):.*|$file:\1: over 100 columns|" || :
	done
}

rule_blanks() {
	{
		code "$1"
		files "$1" '*.[ch]' tests
		scripts "$1"
	} | while IFS= read -r file; do
		grep -nE '[ 	]+$' "$file" |
			sed "s|^\([0-9]*\):.*|$file:\1: blanks at the end|" || :
	done
}

# Every file the project wrote, as text.
everything() {
	files "$1" '*' bin lib man share tests
	for everything_file in "$1/README" "$1/configure.ac" \
	    "$1/Makefile.am" "$1/bootstrap" "$1/.ci/run"; do
		[ ! -f "$everything_file" ] || echo "$everything_file"
	done
}

# The patterns are broken up here so that this file passes.
rule_unfinished() {
	everything "$1" | while IFS= read -r file; do
		grep -HInwE 'TO''DO|FIX''ME|X''XX|HA''CK' "$file" || :
	done
}

rule_places() {
	everything "$1" | while IFS= read -r file; do
		grep -HInE '/wo''rk/|/tmp/con''tract|/tmp/bu''ild-' "$file" || :
	done
}

# The first line of a file says what it is.
rule_opening() {
	code "$1" | while IFS= read -r file; do
		head -n 1 "$file" | grep -q '^/\*' ||
			echo "$file:1: no opening comment"
	done
}

holds banned 'no call that cannot be used safely'
holds wall 'the library neither prints nor exits'
holds sql 'SQL only in lib/store, lib/model and share/schema'
holds bound 'no value is printed into SQL'
holds long_files 'no C file of bin and lib is longer than 800 lines'
holds long_lines 'no line is wider than 100 columns'
holds blanks 'no blanks at the end of a line'
holds unfinished 'nothing is marked as unfinished'
holds places 'nothing names a place on a machine that built it'
holds opening 'each C file opens with a comment'

sample lib/base/bad.c <<'END'
int f(char *a, const char *b) { strcpy(a, b); exit(1); }
static const char q[] = "SELECT 1";
snprintf(a, 9, "DELETE FROM host WHERE name = %s", b);
END
printf 'blank \n/* TO''DO /wo''rk/x */\n' >> "$bad/lib/base/bad.c"
awk 'BEGIN {
	for (i = 0; i < 900; i++)
		print "x"
	for (i = 0; i < 120; i++)
		printf "x"
	print ""
}' >> "$bad/lib/base/bad.c"
for rule in banned wall sql bound long_files long_lines blanks unfinished \
    places opening; do
	catches "$rule" "the rule on $rule finds a bad file"
done

# The rules read code, not comments and literals.
rm -rf "${bad:?}/lib"
sample lib/base/good.c <<'END'
/* strcpy(a, b) and
 * exit(1) */
static const char *s = "strcpy(\"x\") exit(1) stderr";	/* puts("") */
END
tests=$((tests + 1))
if [ -z "$(rule_banned "$bad")$(rule_wall "$bad")" ]; then
	echo "ok $tests - comments and literals are not code"
else
	echo "not ok $tests - comments and literals are not code"
fi
finish
