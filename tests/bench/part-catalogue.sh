#!/bin/sh
# part-catalogue.sh - YunoHost's catalogue, of 706 apps
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

awk 'BEGIN {
	for (i = 1; i <= 706; i++)
		printf "[app%d]\nurl = \"https://example.org/app%d_ynh\"\n" \
		    "state = \"working\"\nlevel = %d\ncategory = \"c%d\"\n" \
		    "branch = \"master\"\nsubtags = [ \"a\", \"b\" ]\n" \
		    "potential_alternative_to = [ \"x\" ]\n\n", \
		    i, i, i % 9, i % 20
}' >"$work/apps.toml"
# the first makes the state and fills it; then the same with all of it changed
sed 's/working/notworking/' "$work/apps.toml" >"$work/other.toml"
towerify-host -q key >/dev/null
figure 'import of a catalogue of 706 apps' \
	"$(field "$(timed 1 towerify-app -q import "$work/apps.toml")" 1)" \
	1000 ms
figure 'the same with every app changed' \
	"$(field "$(timed 1 towerify-app -q import "$work/other.toml")" 1)" \
	1000 ms
figure 'towerify-app list of it' \
	"$(field "$(timed 21 towerify-app list)" 1)" 50 ms
