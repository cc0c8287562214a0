#!/bin/sh
# docs.t - the manual pages say what the tools do: verbs, options, columns,
# exit statuses
#
# The tools are asked (--dump-cli), so they must be built and in PATH.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

tools='host app queue run audit op'

# dump TOOL KIND: the fields of these lines, with | between
dump() {
	"towerify-$1" --dump-cli | tr '|\t' '/|' | sed -n "s/^$2|//p"
}

# The flags that a page names: p, -param, …
flags() {
	awk '/^\./ {
		is_flag = 0
		for (i = 1; i <= NF; i++) {
			sub(/^\./, "", $i)
			if ($i == "Fl")
				is_flag = 1
			else if ($i ~ /^[A-Z][a-z]$/)
				is_flag = 0
			else if (is_flag && $i ~ /^[-a-zA-Z0-9]/)
				print $i
		}
	}' "$1" | sort -u
}

# part PAGE SECTION
part() {
	awk -v name="$2" '/^\.Sh / { on = $0 == ".Sh " name } on' "$1"
}

# Each option of a tool is in its page, the common ones in towerify(7).
rule_options() {
	for tool in $tools; do
		dump "$tool" option | while IFS='|' read -r verb name letter _; do
			page=$1/man/towerify-$tool.1
			[ -n "$verb" ] || [ "$tool" = run ] ||
				page=$1/man/towerify.7
			# run has no verb: its own options are like common ones
			if [ "$tool" = run ] &&
			    flags "$1/man/towerify.7" | grep -qxe "-$name"; then
				page=$1/man/towerify.7
			fi
			for flag in "-$name" ${letter:+"$letter"}; do
				flags "$page" | grep -qxe "$flag" ||
					echo "$page: lacks -$flag $verb"
			done
		done
	done
}

# Each option in a page is one of the tool's.
rule_flags() {
	dump host option | awk -F '|' '$1 == "" { print "-" $2; print $3 }' \
		> "$bad/.common"
	for tool in $tools; do
		page=$1/man/towerify-$tool.1
		dump "$tool" option | awk -F '|' '{ print "-" $2; print $3 }' |
			sort -u > "$bad/.flags"
		flags "$page" | grep -vxFf "$bad/.flags" | sed "s|^|$page: -|"
	done
	# Other pages speak of some, too: of any tool.
	for tool in $tools; do
		dump "$tool" option | awk -F '|' '{ print "-" $2; print $3 }'
	done | sort -u > "$bad/.flags"
	for page in "$1/man/towerify.7" "$1/man/towerify-change.5"; do
		[ ! -e "$page" ] || flags "$page" | grep -vxFf "$bad/.flags" |
			sed "s|^|$page: -|"
	done
}

# Each verb stands in SYNOPSIS and DESCRIPTION, and no other.
rule_verbs() {
	for tool in $tools; do
		page=$1/man/towerify-$tool.1
		dump "$tool" verb | cut -d '|' -f 1 | grep . | sort \
			> "$bad/.verbs" || :
		part "$page" SYNOPSIS | sed -n 's/^\.Cm //p' | sort > "$bad/.a"
		part "$page" DESCRIPTION | awk '
			/^\.Bl/ { depth++ }
			/^\.El/ { depth-- }
			depth == 1 && /^\.It Cm / {
				# of one word or two
				print $3 ($4 ~ /^[a-z]/ ? " " $4 : "")
			}' |
			sort > "$bad/.b"
		diff "$bad/.verbs" "$bad/.a" | sed -n "s|^[<>]|$page: SYNOPSIS: &|p"
		diff "$bad/.verbs" "$bad/.b" | sed -n "s|^[<>]|$page: DESCRIPTION: &|p"
	done
}

# COLUMNS holds each list's columns with type and explanation, in order.  Verbs
# that share their columns share a heading.
rule_columns() {
	for tool in $tools; do
		page=$1/man/towerify-$tool.1
		dump "$tool" column | awk -F '|' '{
			if ($1 != verb) { verb = $1; print "verb", verb }
			print $2, $3, $5
		}' > "$bad/.code"
		part "$page" COLUMNS > "$bad/.part"
		if [ "$tool" = run ]; then
			echo
		else
			sed -n 's/^verb //p' "$bad/.code"
		fi > "$bad/.verbs"
		while IFS= read -r verb; do
			awk -v verb="$verb" '
				BEGIN { on = verb == "" }
				/^\.Ss / {
					on = 0
					n = split(substr($0, 5), names, ", ")
					for (i = 1; i <= n; i++)
						on = on || names[i] == verb
				}
				# what a column holds is told below its list
				/^\.Pp/ { on = 0 }
				!on { next }
				/^\.It Cm / { name = $3 " " $5; next }
				name && !/^\./ {
					gsub(/\\e/, "\\")
					print name, $0
					name = ""
				}' "$bad/.part" > "$bad/.page"
			awk -v verb="$verb" '
				BEGIN { on = verb == "" }
				/^verb / { on = substr($0, 6) == verb; next }
				on' "$bad/.code" | diff - "$bad/.page" |
				sed -n "s|^[<>]|$page: COLUMNS $verb: &|p"
		done < "$bad/.verbs"
	done
}

# exit_table PAGE
exit_table() {
	part "$1" 'EXIT STATUS' | sed -n '/^\.Bl/,/^\.El/p'
}

# The statuses of the code, and the same table in every page.
rule_exit() {
	sed -n 's/^\tTW_[A-Z_]* = \([0-9]*\),.*/\1/p' \
		"$root/lib/base/err.h" | grep -vx 200 > "$bad/.codes"
	exit_table "$1/man/towerify.7" > "$bad/.table"
	sed -n 's/^\.It //p' "$bad/.table" | diff "$bad/.codes" - |
		sed -n "s|^[<>]|towerify.7: EXIT STATUS: &|p"
	for tool in $tools; do
		page=$1/man/towerify-$tool.1
		exit_table "$page" | diff "$bad/.table" - |
			sed -n "s|^[<>]|$page: EXIT STATUS: &|p"
	done
}

# Each step kind has its subsection, with its arguments.
rule_kinds() {
	page=$1/man/towerify-kinds.7
	for kind in "$root"/share/kinds/*; do
		[ -f "$kind" ] || continue
		name=${kind##*/}
		sed -n 's/^#: \{2,3\}\([a-z][a-z0-9_]*\):.*/\1/p' "$kind" |
			sort > "$bad/.a"
		part "$page" KINDS | awk -v name="$name" '
			/^\.Ss / { on = $2 == name }
			on && /^\.It Ic / { print $3 }' > "$bad/.page"
		sort "$bad/.page" | diff "$bad/.a" - |
			sed -n "s|^[<>]|$page: $name: &|p"
	done
}

for tool in $tools; do
	command -v "towerify-$tool" > /dev/null || {
		echo '1..0 # SKIP the tools are not in PATH'
		exit
	}
done
holds options 'every option is in its page'
holds flags 'every option in a page is one of the code'
holds verbs 'every verb is in its page, and no other'
holds columns 'every column is in its page, as the code explains it'
holds kinds 'every step kind is in its page with its arguments, and no other'
holds exit 'exit statuses are the same in every page and in the code'

mkdir -p "$bad/man"
for page in "$root"/man/*.[157]; do
	sed -e '/Fl -not-before/d; /^\.It Fl v ,/d' \
		-e 's/^\.Cm whoami/.Cm whoiam/' \
		-e 's/the change that runs/the change that ran/' \
		-e 's/^a bug of ours/a bug of yours/' \
		-e 's/Fl -reason/Fl -raisin/' \
		-e 's/^\.It Ic recommends/.It Ic suggests/' "$page" > "$bad/man/${page##*/}"
done
for page in "$root"/man/towerify-*.1; do
	cp "$bad/man/${page##*/}" "$bad/page"
	# one page differs, the others don't
	case $page in
	*-host.1) ;;
	*) sed 's/a bug of yours/a bug of ours/' "$bad/page" \
		> "$bad/man/${page##*/}" ;;
	esac
done
catches options 'an option that no page has is found'
catches flags 'an option that no code has is found'
catches verbs 'a verb that no code has is found'
catches columns 'a column that is explained otherwise is found'
catches kinds 'an argument that no kind has is found'
catches exit 'another table of statuses is found'
finish
