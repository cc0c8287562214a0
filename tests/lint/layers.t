#!/bin/sh
# layers.t - imports run downwards only (design.md, section 5)
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# The folders of lib/ whose headers each folder may include, besides its own.
rule_layers() {
	code "$1" | while IFS= read -r file; do
		path=${file#"$1"/}
		case $path in
		lib/base/*) may='base' ;;
		lib/fetch/*) may='base fetch' ;;
		lib/store/*) may='base store' ;;
		lib/model/*) may='base store model' ;;
		lib/spec/*) may='base spec' ;;
		lib/ssh/*) may='base ssh' ;;
		lib/out/*) may='base out' ;;
		lib/engine/*) may='base store model spec ssh engine' ;;
		bin/*) may='base fetch store model spec ssh out engine' ;;
		*) may= ;;
		esac
		awk -v file="$file" -v may=" $may " -v path="$path" '
		/^[ \t]*#[ \t]*include[ \t]*"/ {
			split($0, quoted, "\"")
			name = quoted[2]
			slash = index(name, "/")
			folder = substr(name, 1, slash - 1)
			if (path ~ /^bin\// && !slash)
				next
			if (!slash || !index(may, " " folder " "))
				print file ":" FNR ": includes " name
		}' "$file"
	done
}

# A library's header belongs to one folder.
rule_foreign() {
	code "$1" | while IFS= read -r file; do
		awk -v file="$file" -v path="${file#"$1"/}" '
		function only(header, folder) {
			if (index($0, "<" header) && \
			    index(path, folder) != 1)
				print file ":" FNR ": <" header \
				    " outside " folder
		}
		/^[ \t]*#[ \t]*include[ \t]*</ {
			only("sqlite3.h>", "lib/store/")
			only("yaml.h>", "lib/spec/")
			only("toml++/", "lib/spec/toml.cc")
			only("libssh2.h>", "lib/ssh/")
			only("libssh2_", "lib/ssh/")
			only("sodium", "lib/base/")
			if (path != "bin/towerify-webhook.c")
				only("curl/", "bin/towerify-fetch.c")
			only("check.h>", "tests/")
		}' "$file"
	done
}

# The fake transport is for tests: no tool may hold it.
rule_fake() {
	code "$1" | while IFS= read -r file; do
		case $file in */lib/ssh/fake.[ch]) continue ;; esac
		grep -Hn 'tw_transport_fake\|"ssh/fake\.h"' "$file" |
			grep -v '^[^:]*:[0-9]*:[ 	/]*\*' || :
	done
}

holds layers 'each folder includes only what lies below it'
holds foreign 'each foreign header is included in one folder only'
holds fake 'nothing but tests uses the fake transport'

sample lib/store/up.c <<'END'
#include "base/err.h"
#include "engine/wire.h"
#include <libssh2.h>
#include "ssh/fake.h"
END
catches layers 'an include upwards is found'
catches foreign 'a foreign header out of place is found'
catches fake 'a use of the fake transport is found'
rm -rf "${bad:?}/lib"
sample lib/base/near.c <<'END'
#include "err.h"
END
catches layers 'an include that is not relative to lib/ is found'
finish
