#!/bin/sh
# catalog.t - the apps of share/catalog, on a real host with real packages
#
# Hosts have no network but the tower's: this machine's apt fetches the packages
# that the host would, and they lie there in a repository.  Programs are
# compiled by tests/executor/compile and handed to the executor as a tower would.
#
# shellcheck disable=SC2016 # for the host's shell
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

compile=${abs_top_builddir:-$top}/tests/executor/compile
remote='IFS= read -r n && t=$(LC_ALL=C head -c "$n") && '
remote=$remote'[ "${#t}" -eq "$n" ] && eval "$t"; exit 65'
TOWERIFY_KINDS=$top/share/kinds
export TOWERIFY_KINDS

hosts one
# the base system has no procps, and units reload by its kill
on one 'printf "#!/bin/sh\nkill \"\$@\"\n" >/bin/kill && chmod 755 /bin/kill'

# --- packages
fetch() {
	mkdir -p "$work/repo/partial"
	on one 'cat /var/lib/dpkg/status' >"$work/status"
	timeout 300 apt-get -q -y -o Dir::State::status="$work/status" \
		-o Dir::Cache::archives="$work/repo" -o Debug::NoLocking=1 \
		-o APT::Sandbox::User=root --no-install-recommends \
		--download-only install \
		nginx haproxy keepalived postgresql docker.io
} >"$work/apt" 2>&1
fetch || {
	tail -n 5 "$work/apt" | sed 's/^/# /'
	skip_all 'apt cannot fetch the packages here'
}
rm -rf "$work/repo/partial" "$work/repo/lock"
for file in "$work"/repo/*.deb; do
	dpkg-deb -f "$file"
	echo "Filename: ./${file##*/}"
	echo "Size: $(wc -c <"$file")"
	echo "SHA256: $(sha256sum <"$file" | cut -d ' ' -f 1)"
	echo
done >"$work/repo/Packages"
# what is newer than the base system comes first: apt would upgrade it on the way,
# and nobody could undo that, for the mirror has no old versions
tar -C "$work" -c repo | on one 'tar -C /srv -x --no-same-owner'
on one 'rm -f /etc/apt/sources.list.d/* &&
	echo "deb [trusted=yes] file:/srv/repo ./" >/etc/apt/sources.list &&
	apt-get -q update && apt-get -q -y upgrade' >"$work/apt" 2>&1 </dev/null || sed 's/^/# /' "$work/apt"

# --- the executor
text=$work/executor
sh "$top/share/embed.sh" --text "$top/share/host/executor.sh" >"$text"
hex32() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
bytes() { wc -c <"$1" | tr -d ' '; }
queue=$(hex32)
sid=-
seq=0
: >"$work/prog"
: >"$work/blob"
: >"$work/keys"

# send VERB: the answer is in $work/answer
send() {
	nonce=$(hex32)
	{
		bytes "$text"
		cat "$text"
		printf 'towerify1 %s nonce=%s spool=- id=%s queue=%s epoch=1 ack=%s' \
			"$1" "$nonce" "$sid" "$queue" "$((seq > 0 ? seq - 1 : 0))"
		[ "$1" = init ] || printf ' job=%s seq=%s life=0 offset=0 tower=t host=one change=%s room=65536 text=%s blob=%s textsha=%s blobsha=%s' \
			"$(hex32)" "$seq" "$seq" "$(bytes "$work/prog")" \
			"$(bytes "$work/blob")" "$(sum "$work/prog")" \
			"$(sum "$work/blob")"
		[ ! -s "$work/keys" ] || printf ' secret=%s secretsha=%s' \
			"$(bytes "$work/keys")" "$(sum "$work/keys")"
		echo
		[ "$1" = init ] || cat "$work/prog" "$work/blob" "$work/keys"
	} >"$work/request"
	timeout 600 "$top/tests/rig/rig.sh" exec one sh -c "$remote" \
		<"$work/request" >"$work/answer" 2>"$work/answer.err"
}

# act VERDICT APP ACTION [NAME=VALUE…]: done, and it ends so
act() {
	want=$1
	app=$top/share/catalog/$2.yaml
	action=$3
	shift 3
	"$compile" "$app" "$action" 1 "$work/prog" "$work/blob" "$work/keys" \
		"$@" || return 1
	seq=$((seq + 1))
	send start
	have=$(sed -n "s/^@$nonce [0-9]* [0-9]* verdict \([a-z-]*\).*/\1/p" \
		"$work/answer")
	[ "$have" = "$want" ] && return
	echo "have: $have"
	tail -n 60 "$work/answer"
	return 1
}

# page PORT NAME: what the host serves there
page() {
	on one 'exec bash -c "exec 3<>/dev/tcp/127.0.0.1/$0
		printf \"GET / HTTP/1.0\r\nHost: %s\r\n\r\n\" \"$1\" >&3
		cat <&3"' "$1" "$2" 2>&1
}
serves() {
	page "$1" "$2" >"$work/page"
	grep -q "<title>${3:-$2}</title>" "$work/page" ||
		{ cat "$work/page"; return 1; }
}
serves_not() { ! serves "$@" >/dev/null; }

# What changes leave on a host.  The first page of Debian's nginx stays when the
# package goes.
state() {
	on one 'dpkg-query -W -f "\${binary:Package} \${Version} \${db:Status-Abbrev}\n"
	find /etc/nginx /etc/haproxy /etc/keepalived /etc/docker /var/www -type f ! -name index.nginx-debian.html -exec sha256sum {} + 2>/dev/null
	systemctl is-active nginx haproxy keepalived docker postgresql; true' 2>&1
}
same() { state >"$work/after"; diff "$work/before" "$work/after"; }

send init
sid=$(sed -n "s/^@$nonce hello .* spool=\([^ ]*\) .*/\1/p" "$work/answer")
ok 'the host has a spool' test "${#sid}" -eq 32

# --- nginx
state >"$work/before"
ok 'nginx-site: what cannot work is rolled back' \
	act rolled-back nginx-site deploy domain=c.example port=22
ok '... packages and all' same
ok 'nginx-site: deploy' act succeeded nginx-site deploy domain=a.example
ok '... serves it' serves 80 a.example
ok '... deploy of another one' \
	act succeeded nginx-site deploy domain=b.example port=8081
ok '... serves it, too' serves 8081 b.example
state >"$work/before"
ok '... a third one that cannot work is rolled back' \
	act rolled-back nginx-site deploy domain=c.example port=22
ok '... and leaves no trace' same
ok '... nor a change for the others' serves 80 a.example
ok '... stop' act succeeded nginx-site stop domain=a.example
ok '... stops it' within 10 serves_not 80 a.example
ok '... and not the other one' serves 8081 b.example
ok '... start' act succeeded nginx-site start domain=a.example
ok '... starts it' serves 80 a.example
ok '... check' act succeeded nginx-site check domain=a.example
ok '... upgrade' act succeeded nginx-site upgrade domain=a.example
ok '... upgrade to another port' \
	act succeeded nginx-site upgrade domain=a.example port=8082
ok '... serves it there' serves 8082 a.example
state >"$work/before"
ok '... upgrade to a port that is taken' \
	act rolled-back nginx-site upgrade domain=a.example port=22
ok '... leaves no trace' same
ok '... and serves it where it was' serves 8082 a.example
ok '... upgrade to another name is refused' \
	act rolled-back nginx-site upgrade domain=z.example port=8082
ok '... and leaves no trace' same
ok '... stop' act succeeded nginx-site stop domain=a.example port=8082
ok '... upgrade of what is stopped' \
	act succeeded nginx-site upgrade domain=a.example
ok '... starts it' serves 80 a.example
ok '... undeploy' act succeeded nginx-site undeploy domain=a.example
ok '... ends it' within 10 serves_not 80 a.example
ok '... with its pages' on one 'test ! -e /var/www/a.example'
ok '... which were saved' on one \
	'tar -tzf /var/backups/towerify/nginx-site-a.example.tar.gz | grep -q index.html'
ok '... and not the other one' serves 8081 b.example

# --- HAProxy
back='servers=127.0.0.1:8081 127.0.0.1:9'
ok 'haproxy: deploy' act succeeded haproxy deploy port=8080 "$back"
ok '... serves what is behind it' within 20 serves 8080 b.example
ok '... stop' act succeeded haproxy stop port=8080 "$back"
ok '... start' act succeeded haproxy start port=8080 "$back"
ok '... starts it' within 20 serves 8080 b.example
ok '... check' act succeeded haproxy check port=8080 "$back"
ok '... upgrade to another port' \
	act succeeded haproxy upgrade port=8083 "$back"
ok '... serves it there' within 20 serves 8083 b.example
ok '... and not where it was' serves_not 8080 b.example
ok '... upgrade to a port that is taken' \
	act rolled-back haproxy upgrade port=22 "$back"
ok '... serves it where it was' within 20 serves 8083 b.example
ok '... undeploy' act succeeded haproxy undeploy port=8083 "$back"
ok '... ends it' serves_not 8080 b.example
ok '... and takes the package along' on one \
	'! dpkg-query -W -f "\${db:Status-Abbrev}" haproxy | grep -q ^ii'

# --- PostgreSQL
asks() {
	on one 'PGPASSWORD=$1 exec psql -X -At -h 127.0.0.1 -U shop -d shop -c "$0"' \
		"$1" "${2:-correct horse}"
}
answers() {
	asks "$@" >"$work/said.sql" 2>&1
	grep -qx 'fine' "$work/said.sql" || { cat "$work/said.sql"; return 1; }
}
ok 'postgresql: deploy' act succeeded postgresql deploy database=shop \
	'password=correct horse'
ok '... lets its owner in' answers "SELECT 'fine'"
ok '... and not with another password' eval '! answers "SELECT 1" wrong'
asks "CREATE TABLE t (v text); INSERT INTO t VALUES ('fine')" >/dev/null 2>&1 || :
ok '... no secret is in its log' on one \
	'! grep -rq "correct horse" /var/log/postgresql /var/spool/towerify'
ok '... stop' act succeeded postgresql stop database=shop
ok '... stops it' eval '! answers "SELECT 1"'
ok '... start' act succeeded postgresql start database=shop
ok '... starts it' answers 'SELECT v FROM t'
ok '... upgrade' act succeeded postgresql upgrade database=shop
ok '... stop' act succeeded postgresql stop database=shop
ok '... upgrade of what is stopped' \
	act succeeded postgresql upgrade database=shop
ok '... starts it' answers 'SELECT v FROM t'
ok '... start of what runs' act succeeded postgresql start database=shop
ok '... upgrade to another database is refused' \
	act rolled-back postgresql upgrade database=none
ok '... and leaves this one' answers 'SELECT v FROM t'
ok '... backup' act succeeded postgresql backup database=shop
asks "UPDATE t SET v = 'spoilt'" >/dev/null 2>&1 || :
ok '... restore' act succeeded postgresql restore database=shop
ok '... brings back what was saved' answers 'SELECT v FROM t'
on one 'cd / && runuser -u postgres -- psql -q -d template1' >/dev/null 2>&1 <<'END' || :
CREATE TABLE other (x int);
ALTER TABLE other OWNER TO shop;
END
ok '... an undeployment that fails is rolled back' \
	act rolled-back postgresql undeploy database=shop
ok '... with the data' answers 'SELECT v FROM t'
ok '... stop' act succeeded postgresql stop database=shop
ok '... of what is stopped as well' \
	act rolled-back postgresql undeploy database=shop
ok '... which stays so' eval '! answers "SELECT v FROM t"'
on one 'cd / && echo "DROP TABLE other" | runuser -u postgres -- psql -q -d template1' >/dev/null 2>&1 || :
ok '... undeploy' act succeeded postgresql undeploy database=shop
ok '... ends it' eval '! answers "SELECT 1"'
ok '... saved first' on one 'test -s /var/backups/towerify/postgresql-shop.dump'

# --- keepalived
link=$(on one 'ip -4 -o addr show scope global' |
	awk 'NR == 1 { sub(/@.*/, "", $2); print $2 }')
has_address() { on one 'ip -4 -o addr' | grep -qF 10.99.99.1/32; }
is_master() { on one 'journalctl -u keepalived' | grep -q 'Entering MASTER STATE'; }
ok 'keepalived: deploy' act succeeded keepalived deploy interface="$link" \
	address=10.99.99.1/32 router=7
ok '... is the one that works' within 20 is_master
if on one 'systemd-run -q --wait ip addr add 10.99.99.2/32 dev lo' \
    2>/dev/null; then
	ok '... takes the address' within 20 has_address
else
	skip '... takes the address' 'services of such a host may set none'
fi
ok '... stop' act succeeded keepalived stop interface="$link" \
	address=10.99.99.1/32 router=7
ok '... gives it away' eval '! has_address'
ok '... start' act succeeded keepalived start interface="$link" \
	address=10.99.99.1/32 router=7
ok '... upgrade to another address' act succeeded keepalived upgrade \
	interface="$link" address=10.99.99.3/32 router=7
ok '... whose configuration names it' on one \
	'grep -qF 10.99.99.3/32 /etc/keepalived/keepalived.conf'
ok '... undeploy' act succeeded keepalived undeploy interface="$link" \
	address=10.99.99.1/32 router=7
ok '... gives it away' eval '! has_address'
state >"$work/before"
ok '... on an interface that is not there' act rolled-back keepalived deploy \
	interface=none0 address=10.99.99.1/32 router=7
ok '... leaves no trace' same

# --- Docker
state >"$work/before"
if act succeeded docker deploy >"$work/docker" 2>&1; then
	ok 'docker: deploy' true
	ok '... its settings hold' eval \
		'on one "docker info" | grep -q "Logging Driver: json-file"'
	ok '... stop' act succeeded docker stop
	ok '... start' act succeeded docker start
	ok '... upgrade of its settings' act succeeded docker upgrade log_size=5m
	ok '... which hold' on one 'grep -q 5m /etc/docker/daemon.json'
	ok '... undeploy' act succeeded docker undeploy
else
	sed 's/^/# /' "$work/docker" | tail -n 20
	ok 'docker: the daemon does not run on such a host: rolled back' \
		grep -q 'have: rolled-back' "$work/docker"
	ok '... and leaves no trace' same
fi
leave
