#!/bin/sh
# shell.t - the shell programs: shellcheck, sh -n, and the executor's bytes
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# What others need to know of a file that they source: what it sources and
# exports, the variables that it sets and uses.  To look into those of tests/lib
# and the like for each test anew takes longer than all the tests.
interface() {
	# shellcheck disable=SC2016 # awk's
	awk '
	function sets(name) {
		if (!(name in is_set))
			set = set " " name
		is_set[name]
	}
	/^# shellcheck source=/ || /^\. / || /^set -/ || /^export / { print }
	/^[ \t]*#/ { next }
	{
		n = split($0, word, /[^A-Za-z_0-9]+/)
		for (i = reads = 1; i <= n; i++) {
			reads += word[i] == "read"
			if (word[i] ~ /^[a-z_]+$/ &&
			    (reads > 1 || (i > 1 && word[i - 1] == "for")))
				sets(word[i])
		}
		for (rest = $0; match(rest, /[A-Za-z_][A-Za-z_0-9]*=/);
		    rest = substr(rest, RSTART + RLENGTH))
			sets(substr(rest, RSTART, RLENGTH - 1))
		for (rest = $0; match(rest, /\$[{]?[A-Za-z_][A-Za-z_0-9]*/);
		    rest = substr(rest, RSTART + RLENGTH)) {
			name = substr(rest, RSTART, RLENGTH)
			gsub(/[${]/, "", name)
			if (!(name in is_used))
				used = used " \"${" name "-}\""
			is_used[name]
		}
	}
	END {
		print "read -r" set
		print ":" used
	}' "$1"
}

# What the project ships and runs is held to every remark, tests to warnings:
# they are full of code in single quotes for other shells.  SC2317 takes what
# only a trap or another function calls for unreachable; SC2120 dislikes
# functions whose arguments are optional.
rule_shellcheck() {
	scripts "$1" | grep -v "^$1/tests/" > "$bad/.shipped" || :
	scripts "$1" | grep "^$1/tests/" > "$bad/.tests" || :
	grep '\.sh$' "$bad/.tests" | while IFS= read -r file; do
		face=$bad/.face/${file#"$1"/}
		mkdir -p "${face%/*}"
		interface "$file" > "$face"
	done
	[ ! -s "$bad/.shipped" ] || xargs shellcheck -x -P "SCRIPTDIR:$1" \
		-e SC2317 -f gcc < "$bad/.shipped" 2>&1 || :
	[ ! -s "$bad/.tests" ] || (cd "$bad" && xargs shellcheck -x \
		-P "$bad/.face" -S warning -e SC2317,SC2120 -f gcc \
		< "$bad/.tests" 2>&1) || :
}

rule_parse() {
	scripts "$1" | while IFS= read -r file; do
		case $(head -n 1 "$file") in *bash*) continue ;; esac
		sh -n "$file" 2>&1 || :
	done
}

# Its length is counted in characters by some shells and in bytes by others.
rule_ascii() {
	files "$1" '*' share/host share/kinds | while IFS= read -r file; do
		LC_ALL=C grep -Hn '[^ -~	]' "$file" || :
	done
}

# What travels is what embed.sh leaves; it must still be a program, and its
# call must stand on the last line.
# shellcheck disable=SC2016 # literal text
rule_stripped() {
	files "$1" executor.sh share/host | while IFS= read -r file; do
		sh "$root/share/embed.sh" --text "$file" > "$bad/.stripped"
		sh -n "$bad/.stripped" 2>&1 || :
		case $(tail -n 1 "$bad/.stripped") in
		*main*'"$@"'*) ;;
		*) echo "$file: the last line doesn't call main" ;;
		esac
		# Only `<<-' means the same without leading tabs.
		grep -n '<<' "$bad/.stripped" | grep -v '<<-\|\$((' |
			sed "s|^|$file: here-document when stripped: |" || :
	done
}

if command -v shellcheck > /dev/null; then
	holds shellcheck 'shellcheck has nothing to say'
else
	skips 'shellcheck has nothing to say' 'no shellcheck'
fi
holds parse 'every script parses'
holds ascii 'the executor is ASCII'
holds stripped 'the executor is a program when stripped'

# shellcheck disable=SC2016
printf '#!/bin/sh\nfi\necho $x "\303\251"\n' | sample share/host/executor.sh
# What it sources sets one of these two.
rule_face() {
	rule_shellcheck "$1" > "$bad/.said"
	grep -q 'known is referenced' "$bad/.said" ||
		grep 'never is referenced' "$bad/.said" || :
}
echo 'known=$(date)' | sample tests/lib/lib.sh
cat > "$bad/tests/x.t" <<'END'
#!/bin/sh
# shellcheck source=tests/lib/lib.sh
. "$(dirname "$0")/lib/lib.sh"
echo "$known" "$never"
END
if command -v shellcheck > /dev/null; then
	catches shellcheck 'a script with faults is found'
	catches face 'a test that uses what nobody sets is found'
else
	skips 'a script with faults is found' 'no shellcheck'
	skips 'a test that uses what nobody sets is found' 'no shellcheck'
fi
catches parse 'a script that does not parse is found'
catches ascii 'a byte beyond ASCII is found'
catches stripped 'a broken executor is found'
finish
