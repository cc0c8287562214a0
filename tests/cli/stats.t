#!/bin/sh
# stats.t - towerify-audit stats, metrics, timeline: the tower in figures, for
# Prometheus and as a picture
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

audit=towerify-audit
cd "$work"
tower_sshd
tower_hosts 2
cat >hello.yaml <<'END'
towerify: 1
title: Say <hello> & "more"
steps:
  - {name: say hello, run: echo hello, undo: nothing}
END
cat >again.yaml <<'END'
towerify: 1
steps:
  - name: the third time
    run: echo x >>$TOWERIFY_COUNT; test "$(wc -l <$TOWERIFY_COUNT)" -ge 3
    retries: 3
    retry_delay: 0s
    undo: nothing
END
sed -i "s|\$TOWERIFY_COUNT|$work/count|g" again.yaml
sed 's/echo hello/exit 7/' hello.yaml >bad.yaml
sed 's/undo: nothing/undo: impossible/' bad.yaml >worse.yaml

try "$audit" stats
is 'stats: nothing has ended' 0 '' ''
try "$audit" timeline
like 'timeline: nothing ran' 0 '<svg *nothing ran in this time*</svg>' ''

quietly towerify-queue add h1 hello.yaml --run --wait
quietly towerify-queue add h1 again.yaml --run --wait
quietly towerify-queue add h1 bad.yaml --run --wait
quietly towerify-queue retry 3
quietly towerify-queue cancel 4
quietly towerify-queue add h2 worse.yaml --run --wait
quietly towerify-queue add h2 hello.yaml

# --- stats -----------------------------------------------------------------------

figures=name,changes,succeeded,rolled_back,failed,unknown,cancelled
try "$audit" stats --tsv -n -o "$figures,failure_rate,retries,retried"
is 'stats: a row a host' 0 'h1	4	2	1	0	0	1	0.333333	2	1
h2	1	0	0	1	0	0	1	0	0' ''
try "$audit" stats --by app --tsv -n -o name,changes
is '... --by app: those of none, too' 0 '	5' ''
try "$audit" stats --by operator --tsv -n -o name,changes
is '... --by operator' 0 "$me	5" ''
try "$audit" stats -o name,failure_rate
is '... for people' 0 'NAME   RATE
h1    33.3%
h2   100.0%' ''
try "$audit" stats -J
json '... JSON: typed' '.schema == 1 and (.stats[0] | .name == "h1" and
	.changes == 4 and .failure_rate == 0.333333 and
	.wait_p50 >= 0 and .run_p95 >= .run_p50 and .retries == 2)'
try "$audit" stats --host h2 --tsv -n -o name
is '... --host' 0 h2 ''
try "$audit" stats --host gone
is '... of a host that never was' 0 '' ''
try "$audit" stats --since +1h
is '... --since a time to come' 0 '' ''
try "$audit" stats --since 2h --until 1h
is '... --until: nothing was then' 0 '' ''
try "$audit" stats --since 2h --tsv -n -o changes
is '... --since a span' 0 "4${newline}1" ''
try "$audit" stats --since 1h --until 2h
is '... the wrong way round' 2 '' \
	'towerify-audit: --until is not later than --since'
try "$audit" stats --since yesterday
like '... no time' 2 '' "towerify-audit: bad time 'yesterday'*"
try "$audit" stats --by weekday
is '... by what is none' 2 '' \
	"towerify-audit: bad --by 'weekday': wanted host, app or operator"
try "$audit" stats --host 'h[2-1]'
like '... bad targets' 2 '' "towerify-audit: bad target 'h\\[2-1\\]'*"

# --- metrics ---------------------------------------------------------------------

# What any reader of the format would complain of.
cat >check.awk <<'EOF'
function bad(why) { print FNR ": " why ": " $0; failed = 1 }
/^# HELP / {
	if ($3 !~ /^towerify_[a-z_]+$/) bad("name")
	if (seen[$3]++) bad("family twice")
	if (NF < 4 || $0 !~ /\.$/) bad("help")
	help = $3
	next
}
/^# TYPE / {
	if ($3 != help) bad("type without its help")
	if ($4 !~ /^(gauge|counter|summary)$/) bad("type")
	if (($4 == "counter") != ($3 ~ /_total$/)) bad("_total")
	family = $3
	type = $4
	next
}
/^#/ || /^$/ { bad("line"); next }
{
	value = "-?[0-9]+(\\.[0-9]+)?"
	text = "\"([^\"\\\\\n]|\\\\[\\\\\"n])*\""
	label = "[a-z_]+=" text
	if ($0 !~ "^[a-z_]+({" label "(," label ")*})? " value "$")
		bad("sample")
	name = $0
	sub(/[{ ].*/, "", name)
	if (type == "summary") sub(/_(sum|count)$/, "", name)
	if (name != family) bad("sample outside its family")
	sample = $0
	sub(/ [^ ]*$/, "", sample)
	if (had[sample]++) bad("sample twice")
	n++
}
END { exit failed || n < 20 }
EOF
holds() {	# holds TEXT LINE
	ok "$1" grep -qxF "$2" metrics.prom
}
try "$audit" metrics
cp out metrics.prom
ok 'metrics: well formed' awk -f check.awk metrics.prom
ok '... ends with a newline' test -z "$(tail -c 1 metrics.prom)"
in='{organisation="default"'
holds '... changes that ended, by how' \
	"towerify_changes_ended_total$in,status=\"succeeded\"} 2"
holds '... those that never started' \
	"towerify_change_run_seconds_count$in,status=\"cancelled\"} 0"
holds '... attempts' "towerify_step_retries_total$in} 2"
holds '... what is pending' \
	"towerify_changes_pending$in,status=\"queued\"} 1"
holds '... who is held' "towerify_host_held$in,host=\"h2\"} 1"
holds '... by whom' "towerify_hosts_held$in,by=\"tower\"} 1"
holds '... the last pass' 'towerify_pass_running 0'
sed 's/^towerify_hosts{.*/towerify_hosts{x="a"b"} 1/' metrics.prom >broken
ok '... a check that can fail' sh -c '! awk -f check.awk broken'
cat >parse.py <<'END'
import sys
from prometheus_client.parser import text_string_to_metric_families as parse
n = 0
for family in parse(open(sys.argv[1]).read()):
    assert family.documentation, family
    n += len(family.samples)
sys.exit(n < 20)
END
# Debian's own, where another comes first
python=
for name in python3 /usr/bin/python3; do
	"$name" -c 'import prometheus_client.parser' 2>/dev/null && python=$name
done
if [ -n "$python" ]; then
	ok '... a reader of Prometheus reads it' "$python" parse.py metrics.prom
else
	skip '... a reader of Prometheus reads it' 'no python3-prometheus-client'
fi

mkdir collector
try "$audit" metrics collector/towerify.prom
is 'metrics FILE: nothing on stdout' 0 '' ''
ok '... for everybody to read' \
	test "$(stat -c %a collector/towerify.prom)" = 644
ok '... well formed' awk -f check.awk collector/towerify.prom
ok '... nothing beside it' test "$(ls -A collector)" = towerify.prom
ln collector/towerify.prom held
(umask 077 && "$audit" metrics collector/towerify.prom)
ok '... replaced by a rename, whatever the umask' \
	test "$(stat -c '%a %h' collector/towerify.prom)" = '644 1'
try "$audit" metrics nowhere/towerify.prom
like '... where it can not be written' 78 '' \
	'towerify-audit: nowhere/towerify.prom: cannot create a file beside it: *'
try "$audit" metrics -
like '... - is standard output' 0 '*towerify_pass_running 0*' ''
try "$audit" metrics --tsv
is '... is no list' 2 '' \
	"towerify-audit: option '--tsv': nothing is listed here"
try env TOWERIFY_OPERATOR="$me" "$audit" metrics x.prom
is 'metrics: behind a gate no file' 77 '' \
	"towerify-audit: a file can't be used behind a gate"
ok '... nothing was written' test ! -e x.prom
try env TOWERIFY_OPERATOR="$me" "$audit" metrics
like '... an administrator of the tower' 0 '*towerify_hosts{*' ''
towerify-op -q add mia >/dev/null
towerify-op -q grant mia view,audit,admin >/dev/null
try env TOWERIFY_OPERATOR=mia "$audit" metrics
is '... and nobody else' 77 '' \
	'towerify-audit: mia may not use metrics: they are about the whole tower'
try env TOWERIFY_OPERATOR=mia "$audit" stats --tsv -n -o name
is 'stats: who may audit' 0 "h1${newline}h2" ''
towerify-op -q ungrant mia audit
for verb in stats timeline; do
	try env TOWERIFY_OPERATOR=mia "$audit" "$verb"
	like "$verb: who may not" 77 '' 'towerify-audit: mia may not *'
done
towerify-op -q org add acme >/dev/null
try "$audit" stats --org acme
is 'stats: of the organisation alone' 0 '' ''

# --- timeline ----------------------------------------------------------------------

well_formed() {
	if command -v xmllint >/dev/null; then
		xmllint --noout "$1"
	else
		python3 -c 'import sys, xml.dom.minidom
xml.dom.minidom.parse(sys.argv[1])' "$1"
	fi
}
sql "UPDATE change SET title = 'a' || char(27, 1, 0x202e, 0xfffe) || ']]>'
		|| char(10) || '<b>', reason = '</title><script>'
		WHERE num = 5"
try "$audit" timeline --since 1h
cp out a.svg
ok 'timeline: an SVG' grep -q '^<svg xmlns="http://www.w3.org/2000/svg"' a.svg
if command -v xmllint >/dev/null || command -v python3 >/dev/null; then
	ok '... well-formed XML' well_formed a.svg
	sed 's/&amp;/\&/' a.svg >broken.svg
	ok '... a check that can fail' sh -c '! xmllint --noout broken.svg ||
		! command -v xmllint'
else
	skip '... well-formed XML' 'no xmllint, no python3'
fi
ok '... a bar for each that ran' test "$(grep -c '^<g>' a.svg)" -eq 4
ok '... with what it was' grep -qxF \
	'<g><title>h1: change 1 succeeded' a.svg
ok '... its title, quoted' grep -qxF 'Say &lt;hello&gt; &amp; "more"' a.svg
ok '... hostile text too' grep -qxF \
	'a\x1b\x01\u202e\ufffe]]&gt;\n&lt;b&gt;' a.svg
ok '... no markup from outside' sh -c '! grep -q "<script\|<b>" a.svg'
ok '... light and dark' grep -q 'prefers-color-scheme:dark' a.svg
try "$audit" timeline --host h2
like 'timeline --host' 0 '*h2: change 5 failed*' ''
ok '... that one alone' sh -c '! grep -q "h1: change" out'
try "$audit" timeline --since 2h --until 1h
like 'timeline: another time' 0 '*nothing ran in this time*' ''
try "$audit" timeline --since +1h
is '... one to come' 2 '' 'towerify-audit: --since is not in the past'
sql "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n
		WHERE i < 5100)
	INSERT INTO change (org_id, num, uid, nonce, host_id, host_name,
		operator_id, status, title, program, room, nsteps, filed, joins,
		started, ended) SELECT org_id, i, 'u' || i, '', host_id,
		'many' || (i % 210), operator_id, status, title, program, room,
		1, filed, joins, started, ended FROM n, change WHERE num = 1"
try "$audit" timeline
like 'timeline: what is too much is said' 0 '*; [1-9]* more hosts are not shown; only the latest 5000 changes are shown</text>*' \
	'only the latest 5000 changes are shown: --since, --until and --host choose'
try "$audit" stats --host many1 --tsv -n -o changes
is 'stats: hosts that are gone' 0 24 ''
finish
