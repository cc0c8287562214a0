#!/bin/sh
# faults.t - a disk without room, files that vanish, a clock that jumps, a disk
# put back: each is said, nothing is done twice, and it goes on when a person
# has put it right
#
# shellcheck disable=SC2016,SC2119 # for the hosts' shells; no words needed
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"
build=${abs_top_builddir:-.}

hosts full wiped clock
for h in full wiped clock; do
	known "$h"
done
again() {	# on HOST: released, and the next pass
	towerify-host -q release "$1"
	hurry
	run_
}
change two <<'END'
steps:
  - name: first
    run: mark run
    undo: mark undo
  - name: second
    run: |
      mark run
      block here
      seq 200000
      mark end
    undo: mark undo
  - name: third
    run: mark run
    undo: mark undo
END
change one <<'END'
steps:
  - name: only
    run: mark run
    undo: mark undo
END

# --- no room ------------------------------------------------------------------------

# The log of what was done has its room.
on full 'fallocate -n -l 65536 /var/log/marks
	mkdir /var/tmp/fill && sync -f /var/log/marks'
fill() {
	on full 'cd /var/tmp/fill
	i=1
	while fallocate -l 64M $i 2>/dev/null; do i=$((i + 1)); done
	for size in 1M 64k 4k; do
		while fallocate -l $size $size.$i 2>/dev/null; do
			i=$((i + 1))
		done
	done
	! dd if=/dev/zero of=last bs=4k 2>/dev/null'
}
room() {
	on full 'rm -rf /var/tmp/fill/* && sync -f /var/tmp/fill'
}
ok 'the disk is full' fill
add full "$work/one.yaml"
run_
ok 'before a start: held' host_is full held 'no room on the host: *'
ok '... which is said' grep -q 'no room on the host' "$work/err"
ok '... the change is where it was' eval 'test "$(status_of "$id")" != running ||
	towerify-queue why "$id" | grep -q "has not taken it"'
ok '... nothing was done' marks_are full ''
room
again full
ok 'with room it goes on' status_is "$id" succeeded
ok '... once' marks_are full "$id 1 run"

forget full
add full "$work/two.yaml"
run_bg
here full here
fill
go full here
pass_ends 180
ok 'in a step that prints much: held' host_is full held \
	'no room on the host: *'
ok '... no end is told' status_is "$id" running
room
towerify-host -q release full
finished() {
	hurry
	run_
	! status_is "$id" running
}
ok '... with room it comes to an end' within 60 finished
ok '... rolled back' status_is "$id" rolled-back
on full 'sort /var/log/marks | uniq -d' >"$work/twice"
ok '... nothing twice' test ! -s "$work/twice"
ok '... what ran is undone, the last first' eval '
	on full "grep undo /var/log/marks" >"$work/undone" &&
	printf "%s\n" "$id 2 undo" "$id 1 undo" | cmp - "$work/undone"'

# --- what is wiped ----------------------------------------------------------------------

wipes() {	# a change stands in its second step
	forget wiped
	add wiped "$work/two.yaml"
	run_bg
	here wiped here
}
wipes
on wiped 'find /run -xdev -mindepth 1 -delete' 2>/dev/null || :
go wiped here
within 30 on wiped "grep -q '^$id 3 run' /var/log/marks" || :
pass_ends 60
ok '/run is wiped in a step: it goes on' marks_are wiped "$id 1 run
$id 2 run
$id 2 end
$id 3 run"
# an sshd without its directory lets nobody in
rig kill wiped
rig start wiped
rig wait -b 2 wiped
hurry
run_
ok '... and is known to have succeeded' status_is "$id" succeeded
ok '... nothing twice' test "$(on wiped 'wc -l </var/log/marks')" -eq 4

wipes
on wiped "rm -rf $spool/jobs/*"
go wiped here
pass_ends 60
lost=$id
ok 'the job is wiped in a step: held' host_is wiped held \
	"the host lost change $lost*"
ok '... it has no end' status_is "$lost" running
again wiped
ok '... nor when it is asked again' host_is wiped held
ok '... nothing was begun after' test \
	"$(on wiped "grep -c ' 3 ' /var/log/marks")" -eq 0
towerify-queue -q abandon "$lost" --reason 'its job is gone'
add wiped "$work/one.yaml"
again wiped
ok '... given up, the next one runs' status_is "$id" succeeded
ok '... nothing of the other is done or undone' eval \
	'! on wiped "grep -q \"^$lost .* undo\|^$lost 3\" /var/log/marks"'

wipes
on wiped "rm -rf $spool"
go wiped here
pass_ends 60
lost=$id
ok 'the spool is wiped in a step: held' host_is wiped held \
	'spool lost or host replaced: absent*'
ok '... it has no end' status_is "$lost" running
towerify-host -q set wiped spool-id=accept
again wiped
ok '... accepted anew: its change is not there' host_is wiped held \
	"the host lost change $lost*"
towerify-queue -q abandon "$lost" --reason 'its spool is gone'
add wiped "$work/one.yaml"
again wiped
ok '... given up, the next one runs' status_is "$id" succeeded
ok '... nothing was begun after' eval \
	'! on wiped "grep -q \"^$lost .* undo\|^$lost 3\" /var/log/marks"'

# the tower has seen the fence of the change before
add wiped "$work/one.yaml"
run_
on wiped "rm -rf $spool/fence/* $spool/done $spool/jobs/*"
forget wiped
add wiped "$work/one.yaml"
run_
ok 'what it has done is wiped between: held' host_is wiped held \
	'*went back in time*'
ok '... nothing was done' marks_are wiped ''
towerify-queue -q abandon "$id" --reason 'the host went back in time'
on wiped "rm -rf $spool"
towerify-host -q set wiped spool-id=accept
again wiped
ok '... accepted anew, it is ready' host_is wiped ready

# --- the record is damaged -------------------------------------------------------------

hurry
wipes
detach
on wiped "read _ pid _ <\$(echo $spool/jobs/*/pid) && kill -KILL \$pid
	truncate -s 90 $spool/jobs/*/events"
# a tower that has heard nothing of it, too
sql "UPDATE change SET life = 0, offset = 0, next_event = 1 WHERE num = $id"
hurry
run_
ok 'the record is cut short: held' host_is wiped held \
	"the host lost change $id*"
ok '... nothing is done twice, or undone' marks_are wiped "$id 1 run
$id 2 run"
towerify-queue -q abandon "$id" --reason 'its record is damaged'

# --- the clock ----------------------------------------------------------------------------

on clock 'cat >/usr/local/lib/clock.so && printf "%-31s" 0 >/etc/clock.offset &&
	echo /usr/local/lib/clock.so >/etc/ld.so.preload &&
	printf "%s\n" "#!/bin/sh" "printf %-31s \"\$1\" 1<>/etc/clock.offset" \
		>/usr/local/bin/jump && chmod 755 /usr/local/bin/jump &&
	sync -f /etc' <"$build/tests/rig/clock.so"
off_by() {	# seconds, more or less
	have=$(($(on clock 'date +%s') - $(date +%s)))
	[ "$have" -gt $(($1 - 3600)) ] && [ "$have" -lt $(($1 + 3600)) ] || {
		echo "off by $have"
		return 1
	}
}
change back <<'END'
params:
  by: {type: string, required: true}
steps:
  - name: jumps
    run: |
      mark run
      jump "$by"
      sleep 1
    undo: mark undo
    timeout: 5m
  - name: again
    run: |
      test -e "$KEEP/second" || { : >"$KEEP/second"; exit 1; }
      mark run
    undo: mark undo
    retries: 1
    retry_delay: 1s
  - name: confirmed
    run: mark run
    undo: mark undo
    confirm: 2m
  - name: reboot
    reboot: {timeout: 2m}
  - name: ends
    run: |
      mark run
      sleep 1000
    undo: mark undo
    timeout: 3s
END
ran() {
	marks_are clock "$id 1 run
$id 2 run
$id 3 run
$id 5 run
$id 5 undo
$id 3 undo
$id 2 undo
$id 1 undo"
}
begin() {	# begin SECONDS
	on clock 'jump 0'
	forget clock
	add clock "$work/back.yaml" -p "by=$1" --not-after +1h
	run_
	ok "the clock jumps by $1 s in a step: it does" off_by "$1"
}
begin -86400
ok '... the timeouts hold' steps_are "$id" \
	'done/done done/done done/done done/- timed-out/done'
ok '... rolled back for that alone' reason_is "$id" \
	"step 5 'ends': run timed-out"
ok '... each effect once' ran
ok '... the record of it is in the tower'\''s time' eval '
	towerify-queue show -J "$id" | jq -e ".ended >= .started"'
# How long a reboot took, only the clock knows.
begin 86400
ok '... ahead, the reboot seems to have come too late' steps_are "$id" \
	'done/done done/done done/done timed-out/- waiting/-'
ok '... undone, each effect once' marks_are clock "$id 1 run
$id 2 run
$id 3 run
$id 3 undo
$id 2 undo
$id 1 undo"

on clock 'jump -86400; sync -f /etc/clock.offset'
forget clock
add clock "$work/two.yaml" --not-after +1h
run_bg
here clock here
rig kill clock
detach
rig start clock
rig wait -b 4 clock
ok 'back by a day over a power cut' off_by -86400
hurry
run_
ok '... rolled back' status_is "$id" rolled-back
ok '... once each' marks_are clock "$id 1 run
$id 2 run
$id 2 undo
$id 1 undo"
forget clock
add clock "$work/one.yaml" --not-after +1s
sleep 2
run_
ok 'what is to start by a time expires by the tower'\''s clock' eval \
	'case $(status_of "$id") in succeeded) false ;; esac'
ok '... and was not done' marks_are clock ''
add clock "$work/one.yaml" --not-before +1s
sleep 2
run_
ok '... and what has come, runs' status_is "$id" succeeded

# --- a disk put back -----------------------------------------------------------------------

on clock 'rm /etc/ld.so.preload'
forget clock
add clock "$work/two.yaml"
run_bg
here clock here
on clock "tar -C / -cf - ${spool#/}" >"$work/disk.tar"
go clock here
pass_ends
ok 'a change, from whose midst a copy of the disk is' status_is "$id" succeeded
# shellcheck disable=SC2034 # in eval
seen=$id
add clock "$work/one.yaml"
run_
ok '... and the next one' status_is "$id" succeeded
on clock "rm -rf $spool && tar -C / -xf -" <"$work/disk.tar"
add clock "$work/one.yaml"
run_
ok 'the copy is put back: held' host_is clock held '*went back in time*'
ok '... nothing was done, or undone' eval \
	'! on clock "grep -q undo /var/log/marks" &&
	test "$(on clock "grep -c \"^$seen \" /var/log/marks")" -eq 4'

leave
