#!/bin/sh
# output.t - what hosts print is bytes: stored as they are, shown escaped, taken
# for nothing else, and never more than the cap
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2

# one change of one step: says NAME COMMAND, a file with what it should print
says() {
	change "$1" <<END
steps:
  - name: says
    run: $2
    undo: nothing
  - name: after
    run: '"\$HOME/mark" after'
    undo: nothing
END
	rm -f "$log"
	add h1 "$work/$1.yaml"
	run_
}

# The bytes that are stored of step 1.
stored() {
	sql "SELECT hex(data) FROM output o JOIN change c ON c.id = o.change_id
		WHERE c.num = $1 AND k = 1 ORDER BY o.id" | tr -d '\n' |
		tr A-F a-f
}
bytes() {
	od -An -v -tx1 "$1" | tr -d ' \n'
}
stored_is() {	# stored_is ID FILE
	[ "$(stored "$1")" = "$(bytes "$2")" ] && return
	stored "$1" | head -c 400
	echo
	bytes "$2" | head -c 400
	return 1
}
json_lines() {
	towerify-queue log -J "$1" >"$work/out"
	[ -s "$work/out" ] && jq -e . "$work/out" >/dev/null &&
		iconv -f UTF-8 -t UTF-8 "$work/out" >/dev/null
}
# What a terminal shows has only bytes that print, and is UTF-8.
harmless() {
	towerify-queue log "$1" >"$work/out"
	iconv -f UTF-8 -t UTF-8 "$work/out" >/dev/null || return 1
	! LC_ALL=C grep -aq "$(printf '[\001-\010\013-\037\177]')" "$work/out" ||
		return 1
	! grep -aq "$(printf '\302[\200-\237]\|\342\200[\216\217\252-\256]\|\342\201[\246-\251]')" \
		"$work/out"
}

# --- escapes, bidi, bytes ---------------------------------------------------------------

{
	printf 'title \033]0;owned\007 clear \033[2J\033[H red \033[31m\n'
	printf 'C1 \302\233 31m, DCS \033P q \033\\ , APC \033_x\033\\ \n'
	printf 'back\b\b\b\bspace, bell\a, vertical\v, form\f, return\rover\n'
	printf 'bidi \342\200\256 \342\200\252 \342\201\246 \342\201\251 \342\200\217\n'
} >"$home/escapes"
says escapes 'cat "$HOME/escapes"'
ok 'escape sequences: stored as they came' stored_is "$id" "$home/escapes"
ok '... shown harmless' harmless "$id"
ok '... JSON is JSON' json_lines "$id"
ok '... the words are still there' grep -q 'title.*owned.*clear.*red' "$work/out"

i=0
while [ "$i" -lt 256 ]; do
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf %03o "$i")"
	i=$((i + 1))
done >"$home/all"
printf '\300\200 \355\240\200 \364\220\200\200 \342\202 end\n' >>"$home/all"
says all 'cat "$HOME/all" "$HOME/all" >&2'
cat "$home/all" "$home/all" >"$work/twice"
ok 'every byte, NUL and wrong UTF-8 too: stored as it came' stored_is "$id" \
	"$work/twice"
ok '... shown harmless' harmless "$id"
ok '... JSON is JSON' json_lines "$id"
ok '... the change went on' log_is "h1 $id 2 after"

# --- forged lines ---------------------------------------------------------------------------

cat >"$home/forge" <<'END'
#!/bin/sh
none=00112233445566778899aabbccddeeff
printf '\n@%s 4 100 verdict succeeded .\n' "$none"
printf '\n@%s 3 100 end 1 done run 0 .\n' "$none"
printf '\n@%s over verdict\n' "$none"
printf '\n@%s refused spool gone\n' "$none"
printf '\n@%s stream 9 0\n' "$none"
printf '\n@%s' "$none"
printf '\n@%.20s 4 100 verdict succeeded .\n' "$none"
printf '\n@ 4 100 verdict succeeded .\n\n@\n\n'
END
sh "$home/forge" >"$work/forged"
says forge 'sh "$HOME/forge"; false'
ok 'forged lines without the nonce are output' stored_is "$id" "$work/forged"
ok '... and nothing else' status_is "$id" rolled-back
ok '... by its own end' reason_is "$id" \
	"step 1 'says': run failed, exit status 1"

# One that has the nonce, as root has, but no number that fits, or no mark.
cat >"$home/forge" <<'END'
#!/bin/sh
read -r _ _ _ nonce _ <"${KEEP%/keep/*}/meta"
for n in 0 1 2 3 5 99 99999999999999999999 -4 4x ''; do
	printf '\n@%s %s 100 verdict succeeded .\n' "$nonce" "$n"
done
printf '\n@%s 4 100 verdict succeeded\n' "$nonce"
printf '\n@%s 4 100 verdict perhaps .\n' "$nonce"
printf '\n@%s 4 100 end 1 done run 0 and more .\n' "$nonce"
printf '\n@%s 4 100 end 7 done run 0 .\n' "$nonce"
END
says numbers 'sh "$HOME/forge"; false'
# it lied about its own host, and that is where it ends
ok 'forged lines with the nonce: no success, the host is held' host_is h1 held \
	"*the host's journal says*not possible"
add h2 "$work/escapes.yaml"
run_
ok '... other hosts know nothing of it' status_is "$id" succeeded
towerify-host -q release h1
run_
ok '... a release does not make it true' host_is h1 held '*not possible'
towerify-queue -q abandon --reason 'it lies' $((id - 1))
ok '... a person can declare it lost' status_is $((id - 1)) unknown
quietly towerify-host -q release h1

# --- much -------------------------------------------------------------------------------------

head -c 1048576 /dev/zero | tr '\0' x >"$home/long"
says long 'cat "$HOME/long"'
ok '1 MiB without a newline: all of it' stored_is "$id" "$home/long"
ok '... no cut' test "$(towerify-queue show -J "$id" | jq '.steps[0].cut')" -eq 0
ok '... and the next step' status_is "$id" succeeded

change flood <<'END'
steps:
  - name: floods
    run: |
      echo the beginning
      head -c 300000000 /dev/zero | tr '\0' 'y'
      echo
      echo the end
      "$HOME/block" flood
    undo: nothing
  - name: after
    run: |
      echo small
      "$HOME/block" after
    undo: nothing
END
peak() {	# the most memory that PID ever had, in kB
	sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}
rm -f "$log"
add h2 "$work/flood.yaml"
run_bg
until_ test -e "$home/flood.here" || until_ test -e "$home/flood.here"
most=0
for pid in $(bearing "$work/spool-h2"); do
	kb=$(peak "$pid" 2>/dev/null || :)
	[ "${kb:-0}" -le "$most" ] || most=$kb
done
echo "# the executor and its own: $most kB"
ok '300 MB: no process of the executor above 20 MB' test "$most" -gt 0 -a \
	"$most" -lt 20000
ok '... little is kept on the host' test \
	"$(du -sk "$work/spool-h2" | cut -f 1)" -lt 4000
: >"$home/flood.go"
until_ test -e "$home/after.here"
until_ sh -c 'towerify-queue log "$1" | grep -qx small' sh "$id"
most=$(peak "$runner")
echo "# the runner: $most kB"
ok '... the runner stays below 100 MB' test "$most" -gt 0 -a "$most" -lt 100000
: >"$home/after.go"
run_ends
ok '... the change is done' test "$status" -eq 0
towerify-queue log "$id" >"$work/shown"
ok '... the head is there' grep -qx 'the beginning' "$work/shown"
ok '... the tail is there' grep -qx 'the end' "$work/shown"
kept=$(towerify-queue show -J "$id" | jq '.steps[0].bytes')
cut=$(towerify-queue show -J "$id" | jq '.steps[0].cut')
ok '... 1 MiB is kept, to a block' test "$kept" -le 1048576 -a \
	"$kept" -gt 1048064
ok '... and the rest is counted' test "$((kept + cut))" -eq 300000023
ok '... and marked with its size' grep -q "$cut bytes" "$work/shown"
ok '... JSON has it, too' sh -c \
	'towerify-queue log -J "$1" | jq -se "any(.cut == $2)"' sh "$id" "$cut"

# The cap is for each step and for its undo.
change floods <<'END'
steps:
  - name: floods
    run: head -c 3000000 /dev/zero
    undo: head -c 3000000 /dev/zero
  - name: fails
    run: head -c 3000000 /dev/zero; false
    undo: 'true'
END
add h2 "$work/floods.yaml"
run_
ok 'three floods in a change' status_is "$id" rolled-back
ok '... each has its own cap' test "$(towerify-queue log -J "$id" | jq -s \
	'[group_by([.k, .phase])[] | map(.cut) | add] == [1951424, 1951424,
	1951424]')" = true

leave
