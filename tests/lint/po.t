#!/bin/sh
# po.t - what is said to people can be said in their language: every text is
# marked, the template is that of the sources, French is complete
#
# What to do about a complaint is in share/po/README.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

accepted=$root/tests/lint/po.accepted

# strings: the texts of a PO file on standard input, one a line, escapes as they
# are; both of a plural.
strings() {
	awk '
	function end() { if (on && text != "") print text; on = 0 }
	/^msgid(_plural)? / { end(); on = 1; text = ""; sub(/^[^"]*/, "") }
	/^msg(str|ctxt)/ { end(); next }
	/^"/ && on { text = text substr($0, 2, length($0) - 2); next }
	/^$/ { end() }
	END { end() }'
}

# What looks like a text for people (two words, beside markup, and no SQL),
# is not in the template, and is not known to be for machines or for the
# record.
rule_unmarked() {
	strings < "$1/share/po/towerify.pot" | sort -u > "$bad/.marked"
	(
		cd "$1"
		find bin lib -name '*.[ch]' -o -name '*.cc' | sort |
		xgettext -a --files-from=- --from-code=UTF-8 --no-wrap \
			--language=C++ --no-location -o - 2> /dev/null
	) | strings | awk '
	{
		said = $0
		gsub(/<style>.*<\/style>|<[a-z][^<>]*>/, "", said)
	}
	said ~ /[A-Za-z][A-Za-z][,:;]? [A-Za-z][A-Za-z]/' |
	grep -vE '(^|[^A-Z])(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|ORDER|AND|CASE)([^A-Z]|$)' |
	grep -vE '(^|[^A-Z])(CREATE|DROP|PRAGMA|SAVEPOINT|BEGIN|COMMIT|JOIN|SET|VALUES)([^A-Z]|$)' |
	sort -u | grep -vxFf "$bad/.marked" | grep -vxFf "$accepted" |
	sed 's/^/mark it by N_, W_ or tw_text, or name it in tests\/lint\/po.accepted: /'
}

# The list of what need not be marked holds nothing that is gone.
rule_accepted() {
	(
		cd "$1"
		find bin lib -name '*.[ch]' -o -name '*.cc' | sort |
		xgettext -a --files-from=- --from-code=UTF-8 --no-wrap \
			--language=C++ --no-location -o - 2> /dev/null
	) | strings | sort -u > "$bad/.all"
	grep -v '^#' "$accepted" | grep -vxFf "$bad/.all" |
		sed 's/^/tests\/lint\/po.accepted: no longer there: /'
}

rule_template() {
	sh "$1/share/po/extract" "$1" 2> /dev/null | strings | sort -u \
		> "$bad/.now"
	strings < "$1/share/po/towerify.pot" | sort -u > "$bad/.template"
	grep -vxFf "$bad/.template" "$bad/.now" |
		sed 's/^/share\/po\/towerify.pot lacks (make pot): /'
	grep -vxFf "$bad/.now" "$bad/.template" |
		sed 's/^/share\/po\/towerify.pot: gone (make pot): /'
}

# Formats fit, the header is whole.
rule_format() {
	for po in "$1"/share/po/*.po; do
		msgfmt -c --check-format -o /dev/null "$po" 2>&1 || :
	done
}

rule_complete() {
	for po in "$1"/share/po/*.po; do
		strings < "$po" | sort -u > "$bad/.there"
		strings < "$1/share/po/towerify.pot" | sort -u |
			grep -vxFf "$bad/.there" |
			sed "s|^|$po: lacks (make pot, then translate): |"
		msgattrib --untranslated --no-wrap "$po" | strings |
			sed "s|^|$po: not translated: |"
		msgattrib --only-fuzzy --no-wrap "$po" | strings |
			sed "s|^|$po: fuzzy: |"
		grep '^#~ msgid ' "$po" | sed "s|^#~ |$po: take out: |" || :
	done
}

# An ordinary space before : ; ? ! or within « » lets a line begin with them.
rule_spaces() {
	awk '
	/^msgid|^msgctxt/ { on = 0 }
	/^msgstr/ { on = 1 }
	on && (/« / || / »/ || / [:;?!]([ "\\]|$)/) {
		print FILENAME ":" FNR ": no-break spaces: " $0
	}' "$1/share/po/fr.po"
}

if ! command -v xgettext > /dev/null || ! command -v msgfmt > /dev/null; then
	skips 'texts are marked and translated' 'no gettext'
	finish
	exit
fi

holds unmarked 'every text for people is marked'
holds accepted 'what need not be marked is there'
holds template 'the template is that of the sources'
holds format 'translations fit their formats'
holds complete 'French is complete'
holds spaces 'French has its no-break spaces'

sample bin/tool.c <<'END'
void f(void)
{
	puts("nobody has marked this");
	tw_cli_say(cli, "the template lacks this");
}
END
mkdir -p "$bad/lib" "$bad/share/po"
cp "$root/share/po/extract" "$bad/share/po"
sample share/po/towerify.pot <<'END'
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

msgid "what was once there"
msgstr ""

msgid "what %s has"
msgstr ""
END
sample share/po/fr.po <<'END'
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#, c-format
msgid "what %s has"
msgstr "ceci : %d"

msgid "what nobody knows"
msgstr ""
END
catches unmarked 'a text that is not marked is found'
catches accepted 'a text that is gone is found in the list'
catches template 'a template that is old is found'
catches format 'a format that does not fit is found'
catches complete 'a text that is not translated is found'
catches spaces 'an ordinary space is found'
finish
