#!/bin/sh
# The executor: carries out one change on this host, towerify-executor(7).
#
# One text, four lives:
#   (no arguments)  a request of a tower, read from stdin: accepts a job, starts
#                   an executor for it and follows what that writes
#   run SPOOL ID    the executor itself, detached, holding the spool's lock
#   plan SPOOL DIR  asks the checks of a program, in the foreground
#   file PHASE ...  one phase of a file step, in a process of its own
#
# What makes it safe: whatever must not happen twice is written to `events` and
# synced before it happens; only a complete job ever bears its name; the lock
# is held by descriptor 9 of the executor and of what it does by its own hand,
# never by a step.  It restarts nothing by itself, and trusts no output.
#
# Secrets lie in memory only: in a file of a tmpfs, which the executor reads as
# it begins, and in shell variables that it exports to the steps that use them.
#
# The tower drops comment lines and indentation before sending this, so no
# string here spans lines in a way that would notice.  Nothing is done before
# the last line.  Variables are upper case: a parameter of a change, which is
# lower case, can never meet one.  Requests are read by whatever sh the host
# has, all else by dash: bash can hang when a signal ends its wait.
#
# Descriptors: 3 the FIFO's reading end (the filter's), 4 the stream, 7 scratch,
# 8 the FIFO's writing end (a request: the gate), 9 the lock.
#
# `NAME= ` sets nothing; `A && B || stop`; functions are called by name:
# shellcheck disable=SC1007,SC2015,SC2094,SC2317

NL='
'
CAP=524288	# bytes of a step's output kept at either end, unless a tower says so
TOOLS='cat chmod chown cp dash date dd env fallocate flock grep head id mkdir
mkfifo mv rm setsid sha256sum sleep stat sync tail truncate uname wc'

# --- small things ------------------------------------------------------------

say() {
	printf '\n@%s %s\n' "$NONCE" "$*"
}

# NOW: centiseconds since boot.
now() {
	read -r NOW _ </proc/uptime
	NOW=$((${NOW%.*} * 100 + 1${NOW#*.} - 100))
}

is_number() {
	case $1 in ''|*[!0-9]*|??????????????????*) return 1 ;; esac
}

is_id() {
	case $1 in *[!0-9a-f]*) return 1 ;; esac
	[ "${#1}" -eq 32 ]
}

# BORN: when process $1 started; false when it is gone or a zombie.
born() {
	read -r STAT 2>/dev/null <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086 # fields
	set -- ${STAT##*) }
	BORN=${20}
	[ "$1" != Z ]
}

# The record $1 as it stands: what an executor goes on from.  A line that a
# crash left torn, and all after it, was never acted on and does not count.
load() {
	EVENTS=0 BYTES=0 LIVES=0 BOOTS=' ' OPEN= RAN=' ' NEXT=1 FAILED= VERDICT=
	UNDOING= UNDONE=' ' BROKEN= RUN_T=0 RUN_TIME=0 RUN_BOOT=
	AWAITED= AWAIT_LIMIT=0 AWAIT_T=0 AWAIT_TIME=0 AWAIT_BOOT=
	[ -r "$1" ] || return 0
	while IFS= read -r LINE; do
		# shellcheck disable=SC2086 # fields
		set -- $LINE
		[ "$1" = $((EVENTS + 1)) ] && is_number "$2" || break
		case $3 in
		life)	LIVES=$4 LIFE_T=$2 LIFE_BOOT=$5 LIFE_TIME=$6
			BOOTS="$BOOTS$4:$5 " ;;
		start)	OPEN=$4 NEXT=$(($4 + 1)) ;;
		run)	RAN="$RAN$4 " RUN_T=$2 RUN_BOOT=$LIFE_BOOT
			RUN_TIME=$((LIFE_TIME + ($2 - LIFE_T) / 100)) ;;
		try)	;;
		await)	AWAITED=$4 AWAIT_LIMIT=$5 AWAIT_T=$2
			AWAIT_BOOT=$LIFE_BOOT
			AWAIT_TIME=$((LIFE_TIME + ($2 - LIFE_T) / 100)) ;;
		end)	OPEN= AWAITED=
			case $5 in done|unchanged) ;; *) FAILED=1 ;; esac ;;
		cancel)	FAILED=1 ;;
		undo)	UNDOING=$4 ;;
		undone)	UNDOING= UNDONE="$UNDONE$4 "
			[ "$5" = "done" ] || BROKEN=1 ;;
		verdict) VERDICT=$4 ;;
		*)	break ;;
		esac
		EVENTS=$1 BYTES=$((BYTES + ${#LINE} + 1))
	done <"$1"
}

# All events once more, from the record $1: the tower passes over those it has.
# Synced first: who wrote them may have died before that.
repeat() {
	sync "$1" || return 1
	N=0
	while [ "$N" -lt "$EVENTS" ] && IFS= read -r LINE; do
		printf '\n@%s %s .\n' "$NONCE" "$LINE" || return 1
		N=$((N + 1))
	done <"$1"
}

# LEFT: centiseconds until it is too late to confirm step AWAITED.  Of another
# boot only the clock knows; set back, it gives no more time than there was.
time_left() {
	now
	LEFT=$((AWAIT_T + AWAIT_LIMIT * 100 - NOW))
	[ "$BOOT" != "$AWAIT_BOOT" ] || return 0
	LEFT=$(((AWAIT_TIME + AWAIT_LIMIT - $(date +%s)) * 100))
	[ "$LEFT" -le $((AWAIT_LIMIT * 100)) ] || LEFT=$((AWAIT_LIMIT * 100))
}

# --- a request ---------------------------------------------------------------

refuse() {
	say refused "$@"
	drop_upload
	exit 0
}

drop_upload() {
	hush
	[ -z "$IN$HELD" ] || rm -rf ${IN:+"$IN"} ${HELD:+"$HELD"}
	IN= HELD=
}

# Before the hello was said, and the fence known.
deny() {
	hello -
	refuse "$@"
}

hello() {
	say hello 1 "boot=$BOOT" "spool=$SPOOL_ID" "machine=$MACHINE" \
		"fence=${1:-$FENCE_EPOCH.$FENCE_SEQ}"
}

request() {
	trap '' PIPE
	umask 077
	NONCE= SPOOL=- ID=- QUEUE=- EPOCH=0 ACK=0 UNHOLD= JOB= SEQ=0 AT_LIFE=0
	KEYS= SHARED= STEP=0 STEPS=0
	SEEN_EPOCH=0 SEEN_SEQ=0 AT=0 AT_EVENT=0 WHO= ROOM=0 TOWER=-
	TEXT=0 BLOB=0 TEXT_SHA= BLOB_SHA= SECRET=0 SECRET_SHA= HELD= NOWHERE=
	SPEAKER=
	HOST=- CHANGE=0 IN= SPOOL_ID=- FENCE_EPOCH=0 FENCE_SEQ=0 LAUNCHED= DONE=
	IFS= read -r LINE || exit 65
	set -f
	# shellcheck disable=SC2086 # words
	set -- $LINE
	set +f
	[ "$1" = towerify1 ] || exit 65
	VERB=$2
	shift 2
	for WORD; do
		VALUE=${WORD#*=}
		case ${WORD%%=*} in
		nonce) NONCE=$VALUE ;;	spool) SPOOL=$VALUE ;;
		id) ID=$VALUE ;;	queue) QUEUE=$VALUE ;;
		epoch) EPOCH=$VALUE ;;	ack) ACK=$VALUE ;;
		fence) SEEN_EPOCH=${VALUE%.*} SEEN_SEQ=${VALUE#*.} ;;
		unhold) UNHOLD=$VALUE ;;	cancel) WHO=$VALUE ;;
		job) JOB=$VALUE ;;	seq) SEQ=$VALUE ;;
		life) AT_LIFE=$VALUE ;;	offset) AT=$VALUE ;;
		event) AT_EVENT=$VALUE ;;	room) ROOM=$VALUE ;;
		text) TEXT=$VALUE ;;	textsha) TEXT_SHA=$VALUE ;;
		blob) BLOB=$VALUE ;;	blobsha) BLOB_SHA=$VALUE ;;
		secret) SECRET=$VALUE ;;	secretsha) SECRET_SHA=$VALUE ;;
		tower) TOWER=$VALUE ;;	host) HOST=$VALUE ;;
		key) KEYS="$KEYS$VALUE " ;;	shared) SHARED=$VALUE ;;
		change) CHANGE=$VALUE ;;	step) STEP=$VALUE ;;
		steps) STEPS=$VALUE ;;	cap) CAP=$VALUE ;;
		esac
	done
	is_id "$NONCE" || exit 65
	surroundings
	case $SPOOL in /*) ;; *) deny bad "spool $SPOOL" ;; esac
	for WORD in "$EPOCH" "$ACK" "$SEQ" "$AT_LIFE" "$AT" "$AT_EVENT" \
	    "$SEEN_EPOCH" "$SEEN_SEQ" "$TEXT" "$BLOB" "$ROOM" "$CHANGE" \
	    "$SECRET" "$STEP" "$STEPS" "$CAP"; do
		is_number "$WORD" || deny bad "not a number: $WORD"
	done
	[ "$QUEUE" = - ] || is_id "$QUEUE" || deny bad "queue"
	case $VERB in
	start|resume|confirm)
		is_id "$JOB" && [ "$QUEUE" != - ] || deny bad "job"
		[ "$VERB" != confirm ] || [ "$STEP" -gt 0 ] || deny bad "step"
		ASKED=$NONCE
		;;
	init|facts|plan) ;;
	revoke)
		[ -n "$KEYS" ] && [ "$QUEUE" != - ] || deny bad "key"
		;;
	*)
		deny bad "verb $VERB"
		;;
	esac
	"do_$VERB"
	exit 0
}

# The host as the request finds it.
surroundings() {
	# a tool in the C locale starts in two thirds of the time
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	LC_ALL=C
	export PATH LC_ALL
	HOME=${HOME:-/}
	read -r BOOT </proc/sys/kernel/random/boot_id
	MACHINE=-
	[ ! -s /etc/machine-id ] || read -r MACHINE </etc/machine-id
	while read -r WORD ME _; do
		[ "$WORD" != Uid: ] || break
	done </proc/self/status
	LOGIN=root
	[ "$ME" = 0 ] || LOGIN=${USER:-${LOGNAME:-$ME}}
	SYSTEMD=no
	[ ! -d /run/systemd/system ] || SYSTEMD=yes
	MISSING=
	for WORD in $TOOLS; do
		command -v "$WORD" >/dev/null || MISSING="$MISSING $WORD"
	done
	[ "$ME$SYSTEMD" != 0yes ] || command -v systemd-run >/dev/null ||
		MISSING="$MISSING systemd-run"
	if [ "$SPOOL" = - ]; then
		SPOOL=/var/spool/towerify
		[ "$ME" = 0 ] || SPOOL=$HOME/.local/state/towerify-spool
	fi
	while [ "$SPOOL" != "${SPOOL%/}" ]; do SPOOL=${SPOOL%/}; done
}

# WRONG: what keeps this directory from being a spool; inside it otherwise.
enter_spool() {
	WRONG=
	if [ -L "$SPOOL" ]; then
		WRONG="unsafe: $SPOOL is a symbolic link"
	elif [ ! -e "$SPOOL" ]; then
		WRONG="absent: there is no $SPOOL"
	elif [ ! -d "$SPOOL" ]; then
		WRONG="unsafe: $SPOOL is not a directory"
	elif [ ! -O "$SPOOL" ]; then
		WRONG="unsafe: $SPOOL is not owned by $LOGIN"
	elif [ -e "$SPOOL/state.db" ] || [ -L "$SPOOL/state.db" ]; then
		WRONG="unsafe: $SPOOL holds a tower's state.db"
	else
		# what /proc shows of a process is made as it is looked at
		now
		# shellcheck disable=SC2046 # fields
		set -- $(stat -c '%a %.2Y' "$SPOOL" /proc/self/.)
		BOOTED=$((${4%.*}${4#*.} - NOW))
		case $1 in
		700|2700) ;;
		*) WRONG="unsafe: $SPOOL has mode $1, not 700" ;;
		esac
	fi
	[ -z "$WRONG" ] && cd -P "$SPOOL" || return 1
}

# SPOOL_ID, once it is the spool this tower pinned, on the machine it was on.
check_spool() {
	enter_spool || deny spool "$WRONG"
	read -r VERSION SPOOL_ID WORD 2>/dev/null <id ||
		deny spool "absent: $SPOOL has no id"
	if [ "$VERSION" != 1 ] || [ "$WORD" != "$MACHINE" ]; then
		WRONG="different: $SPOOL was made on another machine"
	elif [ "$SPOOL_ID" != "$ID" ]; then
		WRONG="different: $SPOOL has another id"
	fi
	[ -z "$WRONG" ] || deny spool "$WRONG"
}

# The gate: one request at a time from here to its release (8>&-).
enter_gate() {
	{ command exec 8>>gate; } 2>/dev/null ||
		deny space "cannot write to $SPOOL"
	flock -w 20 8 || deny start "the gate stays locked"
	for WORD in in/*; do
		N=${WORD#in/}
		[ ! -e "$WORD" ] || [ -e "/proc/${N%%.*}" ] || rm -rf "$WORD"
	done
	acknowledge
	sweep_secrets
	[ -z "$BEHIND" ] || {
		hello
		refuse lost "the host went back in time"
	}
	if [ -n "$UNHOLD" ] && [ -e held ]; then
		rm -f held && sync .
	fi
	hello
}

# Is epoch $1, seq $2 beyond the fence?
is_after() {
	[ "$1" -gt "$FENCE_EPOCH" ] ||
		{ [ "$1" -eq "$FENCE_EPOCH" ] && [ "$2" -gt "$FENCE_SEQ" ]; }
}

# The fence is at epoch $1 and seq $2 at least: neither ever goes back, also where
# several towers, copies of one, have given out numbers of this queue.
raise_fence() {
	[ "$1" -le "$FENCE_EPOCH" ] || FENCE_EPOCH=$1 RAISED=1
	[ "$2" -le "$FENCE_SEQ" ] || FENCE_SEQ=$2 RAISED=1
}

# A tower that is to give this number again is behind; or another one has taken its
# place; or it has taken the place of one that began this, and nobody ends it.
is_news() {
	[ "$S" -ge "$SEQ" ] || [ "$E" -gt "$EPOCH" ] ||
		{ [ -z "$VERDICT" ] && [ "$E" -ne "$EPOCH" ] &&
			[ "$S" -gt "$ACK" ]; }
}

# Takes leave of the finished jobs whose end the tower has stored.  That is none
# that it asks for: a cancel of what it never heard of counts as acknowledged, but
# what came of it has yet to be told.  BUSY: who is not finished.  Of a job that
# is removed, meta goes first: without it a directory is no job.  GIVEN_UP: one of
# this queue that is not finished and that the tower wants no more.  STALE: one
# of this queue that the tower has never heard of.
acknowledge() {
	BUSY= GONE= GIVEN_UP= STALE=
	[ "$QUEUE" = - ] || [ ! -e "fence/$QUEUE" ] ||
		read -r FENCE_EPOCH FENCE_SEQ <"fence/$QUEUE"
	RAISED=
	for DIR in jobs/*; do
		[ "$DIR" != 'jobs/*' ] || break
		if ! read -r Q E S _ T _ C _ 2>/dev/null <"$DIR/meta"; then
			is_done "${DIR#jobs/}" && GONE="$GONE $DIR" ||
				BUSY="$DIR is damaged, a person must look"
			continue
		fi
		load "$DIR/events"
		if [ "$Q" = "$QUEUE" ] && [ "$DIR" != "jobs/$JOB" ] &&
		    [ "$SEQ" -gt 0 ] && is_news; then
			raise_fence "$E" "$S"
			STALE="change $C of tower $T"
			printf '' >>"done"
		fi
		if [ -z "$VERDICT" ]; then
			[ "$DIR" != "jobs/$JOB" ] || continue
			BUSY="change $C of tower $T is not finished"
			[ "$Q" != "$QUEUE" ] || [ "$S" -gt "$ACK" ] ||
				GIVEN_UP=${DIR#jobs/}
			continue
		fi
		[ "$Q" = "$QUEUE" ] && [ "$S" -le "$ACK" ] &&
			[ "$DIR" != "jobs/$JOB" ] || continue
		printf '%s %s %s %s %s\n' "$Q" "$E" "$S" "${DIR#jobs/}" \
			"$VERDICT" >>"done" || refuse space "cannot write to $SPOOL"
		raise_fence "$E" "$S"
		RAISED=1 GONE="$GONE $DIR/meta $DIR"
	done
	BEHIND=
	! is_after "$SEEN_EPOCH" "$SEEN_SEQ" || BEHIND=1
	# a change the tower gave up before it was here must not come late; a host
	# that went back in time can't tell whether it was
	if [ "$SEQ" -gt 0 ] && [ "$ACK" -ge "$SEQ" ] && [ -z "$BEHIND" ]; then
		raise_fence "$EPOCH" "$ACK"
		printf '' >>"done"
	fi
	# overwritten in place, always as long: within a sector, so not torn
	if [ -n "$RAISED" ]; then
		printf '%-20s %-20s\n' "$FENCE_EPOCH" "$FENCE_SEQ" \
			1<>"fence/$QUEUE" &&
			sync "done" "fence/$QUEUE" fence . ||
			refuse space "cannot write to $SPOOL"
	fi
	if [ -n "$GONE" ]; then
		# shellcheck disable=SC2086 # a list
		rm -rf $GONE >/dev/null 2>&1 8>&- &
	fi
}

# The secrets of this spool that nobody needs: their job is gone or has its
# verdict, or the request that brought them is gone.
sweep_secrets() {
	for DIR in /run "$XDG_RUNTIME_DIR" /dev/shm; do
		for WORD in "$DIR/towerify-$ME/$SPOOL_ID".*; do
			[ -f "$WORD" ] || continue
			N=${WORD##*/}
			N=${N#*.}
			case $N in
			*.*)
				[ ! -e "/proc/${N%%.*}" ] || continue
				;;
			*)
				load "jobs/$N/events"
				[ ! -e "jobs/$N/meta" ] || [ -n "$VERDICT" ] ||
					continue
				;;
			esac
			rm -f "$WORD"
		done
	done
}

# Has job $1 been here, and ended, and been acknowledged?
is_done() {
	[ -s "done" ] || return 1
	[ -n "$DONE" ] || DONE=$(cat "done")
	case $DONE in *" $1 "*) return 0 ;; esac
	return 1
}

say_done() {
	while read -r Q E S J V; do
		[ "$J" != "$JOB" ] || break
	done <"done"
	drop_upload
	say "done" "$V" "$S"
	exit 0
}

# Is an executor at work on the job in $1?  PID.
is_alive() {
	ITS_LIFE=0
	read -r ITS_LIFE PID ITS_BORN ITS_BOOT 2>/dev/null <"$1/pid" || return 1
	[ "$ITS_BOOT" = "$BOOT" ] && born "$PID" && [ "$BORN" = "$ITS_BORN" ]
}

# Is there room for what an executor writes besides its record?
has_room() {
	printf '' >"$DIR/probe" || return 1
	fallocate -n -l 65536 "$DIR/probe" 2>"$DIR/launch" ||
		is_unsupported "$DIR/launch"
	set -- $?
	rm -f "$DIR/probe"
	return "$1"
} 2>/dev/null

# Did fallocate say, in $1, that this file system can't?
is_unsupported() {
	read -r WORD <"$1"
	case $WORD in
	*supported*|*'not implemented'*) return 0 ;;
	esac
	return 1
}

# Starts an executor for the job, whose record is loaded.  It waits for the
# lock and ends if it is not needed: one too many does no harm.
launch() {
	[ "$LIVES$VERB" = 0start ] || has_room ||
		refuse space "too little to go on with change $CHANGE"
	# synced, for the tower will hold the host to having had this stream
	printf '' >>"$DIR/stream.$((LIVES + 1))" &&
		{ [ "$LIVES" -eq 0 ] || sync "$DIR"; } ||
		refuse space "cannot write to $SPOOL"
	set -- env -i --default-signal "HOME=$HOME" "USER=$LOGIN" \
		"PATH=$PATH" LC_ALL=C \
		dash "$SPOOL/$DIR/executor" run "$SPOOL" "$JOB"
	if [ "$ME$SYSTEMD" != 0yes ]; then
		setsid "$@" "$BOOTED" </dev/null >/dev/null 2>&1 8>&- &
		PID=$! LAUNCHED=1
		return
	fi
	# an earlier unit of that name stays as long as anything in its group
	# does, and can be started again; or it is about to go
	N=0
	until systemd-run --quiet --collect --unit="towerify-$JOB" \
	    --description="towerify change $CHANGE of $TOWER" \
	    --property=Type=exec --property=KillMode=process \
	    --property=Delegate=yes --property=OOMPolicy=continue \
	    --property=IgnoreSIGPIPE=no --property=TasksMax=infinity \
	    --property=StandardOutput=null --property=StandardError=null \
	    -- "$@" </dev/null >/dev/null 2>"$DIR/launch" 8>&- ||
	    systemctl start "towerify-$JOB.service" \
	    </dev/null >/dev/null 2>&1 8>&-; do
		N=$((N + 1))
		if [ "$N" -eq 20 ]; then
			WORD=
			read -r WORD <"$DIR/launch"
			refuse start "systemd-run: $WORD"
		fi
		sleep 0.1
	done
	N=0
	until is_alive "$DIR" || [ "$ITS_LIFE" -gt "$LIVES" ]; do
		N=$((N + 1))
		[ "$N" -lt 500 ] || refuse start "the executor does not come up"
		sleep 0.02
	done
}

# A dot every 10 s while what is long comes, for the tower takes a host that is
# silent for a dead one.  Ends by itself when nobody listens.
speak() {
	[ $((TEXT + BLOB + SECRET)) -ge 16384 ] || return 0
	while sleep 10 >/dev/null 2>&1 && printf . >&2; do :; done \
		</dev/null >/dev/null &
	SPEAKER=$!
}

hush() {
	[ -z "$SPEAKER" ] || kill "$SPEAKER" 2>/dev/null
	SPEAKER=
}

# The upload: complete and checked in in/PID.UUID, or refused.
upload() {
	[ -z "$MISSING" ] || deny needs "${MISSING# }"
	read -r WORD </proc/sys/kernel/random/uuid
	IN=in/$$.$WORD
	FULL= N=0
	set -- "$IN" "$IN/cwd" "$IN/keep"
	while [ "$N" -lt "$STEPS" ]; do
		N=$((N + 1))
		set -- "$@" "$IN/keep/$N"
	done
	mkdir "$@" && head -c "$TEXT" >"$IN/job" || FULL=1
	if [ "$BLOB" -gt 0 ]; then
		head -c "$BLOB" >"$IN/blob" || FULL=1
	else
		printf '' >"$IN/blob" || FULL=1
		BLOB_SHA=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	fi
	# shellcheck disable=SC2154 # t: this text, set by the remote command
	printf '%s' "$t" >"$IN/executor" &&
		printf '%s %s %s %s %s %s %s %s %s\n' "$QUEUE" "$EPOCH" "$SEQ" \
			"$NONCE" "${TOWER:--}" "${HOST:--}" "$CHANGE" "$ROOM" \
			"$CAP" >"$IN/meta" || FULL=1
	[ -z "$FULL" ] || deny space "no room for the upload"
	printf '%s\n' "$TEXT_SHA  $IN/job" "$BLOB_SHA  $IN/blob" >"$IN/sums" &&
		sha256sum -c --status "$IN/sums" ||
		deny bad "checksum, or cut short"
} 2>/dev/null

# PLACE: this login's directory in memory.  NOWHERE: why there is none.  Who
# owns what holds it could put another one in its place.
find_place() {
	NOWHERE='neither /run, XDG_RUNTIME_DIR nor /dev/shm will do'
	for WORD in /run "$XDG_RUNTIME_DIR" /dev/shm; do
		case $WORD in
		/run|/dev/shm) ;;
		/*) [ -O "$WORD" ] || continue ;;
		*) continue ;;
		esac
		[ -d "$WORD" ] && [ -w "$WORD" ] || continue
		case $(stat -f -c %T "$WORD") in
		tmpfs|ramfs) ;;
		*) continue ;;
		esac
		PLACE=$WORD/towerify-$ME
		[ -e "$PLACE" ] || mkdir "$PLACE"
		if [ -L "$PLACE" ] || [ ! -d "$PLACE" ]; then
			NOWHERE="$PLACE is not a directory"
		elif [ ! -O "$PLACE" ]; then
			NOWHERE="$PLACE is not owned by $LOGIN"
		else
			MODE=$(stat -c %a "$PLACE")
			case $MODE in
			700|2700) NOWHERE= ;;
			*) NOWHERE="$PLACE has mode $MODE, not 700" ;;
			esac
		fi
		return
	done
} 2>/dev/null

# The secrets that came with the request, complete and checked: HELD.
hold_secrets() {
	[ "$SECRET" -gt 0 ] || return 0
	find_place
	[ -z "$NOWHERE" ] || return 0
	HELD=$PLACE/$SPOOL_ID.$$.$NONCE
	if ! head -c "$SECRET" >"$HELD"; then
		NOWHERE="no room in $PLACE"
		rm -f "$HELD"
		HELD=
		return
	fi
	SUM=$(sha256sum <"$HELD") && [ "${SUM%% *}" = "$SECRET_SHA" ] &&
		[ "$(wc -c <"$HELD")" -eq "$SECRET" ] ||
		deny bad "checksum of the secrets, or cut short"
	printf 'S_WHOLE=1\n' >>"$HELD" || {
		NOWHERE="no room in $PLACE"
		rm -f "$HELD"
		HELD=
	}
} 2>/dev/null

# Are those of the job in directory $1 there, and whole?  Nothing that tells of
# them is on disk, not even a sum, so their last line must say it.  What was cut
# off within a quote would end this shell.
# shellcheck disable=SC1090 # assignments
has_secrets() {
	IFS= read -r WORD <"$1/secret" &&
		(S_WHOLE='' && command . "$WORD" && [ -n "$S_WHOLE" ])
} 2>/dev/null

# They become those of the job, whose directory is $1.
place_secrets() {
	[ "$SECRET" -gt 0 ] || return 0
	[ -z "$NOWHERE" ] || refuse secret "$NOWHERE"
	mv "$HELD" "$PLACE/$SPOOL_ID.$JOB" || refuse secret "no room in $PLACE"
	HELD=$PLACE/$SPOOL_ID.$JOB
	printf '%s\n' "$HELD" >"$1/secret.new" &&
		mv "$1/secret.new" "$1/secret" ||
		refuse space "cannot write to $SPOOL"
} 2>/dev/null

do_start() {
	check_spool
	speak
	upload
	hold_secrets
	hush
	printf '' >>"$IN/events" && printf '' >>"$IN/stream.1" || FULL=1
	# where the file system can't reserve, it can't refuse for want of room
	fallocate -n -l "$((ROOM > 0 ? ROOM : 1))" "$IN/events" 2>"$IN/launch" ||
		is_unsupported "$IN/launch" || FULL=1
	enter_gate
	DIR=jobs/$JOB
	[ ! -e "$DIR/meta" ] || attach
	is_done "$JOB" && say_done
	[ "${#DONE}" -lt 150000 ] || trim_done
	is_after "$EPOCH" "$SEQ" && [ "$SEQ" -gt "$FENCE_SEQ" ] ||
		refuse stale "$EPOCH.$SEQ is not after $FENCE_EPOCH.$FENCE_SEQ"
	[ -z "$STALE" ] || refuse stale "$STALE"
	[ -z "$GIVEN_UP" ] || undo_given_up
	[ -z "$BUSY" ] || refuse busy "$BUSY"
	if [ -e held ]; then
		read -r WORD <held
		refuse held "$WORD"
	fi
	[ -z "$FULL" ] || refuse space "no room for the record"
	place_secrets "$IN"
	sync "$IN/executor" "$IN/job" "$IN/blob" "$IN/meta" "$IN/events" "$IN" &&
		mv -T "$IN" "$DIR" && IN= HELD= && sync jobs in ||
		refuse space "cannot write to $SPOOL"
	say accepted
	load "$DIR/events"
	[ -z "$WHO" ] || write_cancel
	launch
	follow
}

# The job that was given up stands in the way: it is stopped and undone.  WHY that
# can't be, if so.
undo_given_up() {
	JOB=$GIVEN_UP DIR=jobs/$GIVEN_UP WHO=tower WHY=
	read -r _ _ _ NONCE TOWER _ CHANGE _ <"$DIR/meta"
	load "$DIR/events"
	if is_alive "$DIR"; then
		:
	elif is_short; then
		WHY='its record holds less than was shown'
	elif [ -z "$VERDICT" ] && has_lost_secrets; then
		WHY='its secrets are gone'
	fi
	NONCE=$ASKED
	if [ -n "$WHY" ]; then
		write_off
		return
	fi
	write_cancel
	is_alive "$DIR" || launch
	BUSY="$BUSY, but is being undone"
}

# Nobody brings those of a job that was given up again.
has_lost_secrets() {
	[ -e "$DIR/secret" ] && ! has_secrets "$DIR"
}

# Ends what nobody can undo, when a person has released the host after that was
# said.  A release that comes with the first request to find it is an earlier one,
# which the tower repeats until it has an answer: it asks again without it.
write_off() {
	BUSY="$BUSY and can't be undone: $WHY"
	if [ -z "$UNHOLD" ]; then
		printf '%s\n' "$WHY" >"$DIR/stuck" &&
			sync "$DIR/stuck" "$DIR" ||
			refuse space "cannot write to $SPOOL"
		refuse held "$BUSY"
	fi
	[ -e "$DIR/stuck" ] || return 0
	now
	truncate -s "$BYTES" "$DIR/events" &&
		printf '%s %s verdict failed\n' "$((EVENTS + 1))" "$NOW" \
			>>"$DIR/events" && sync "$DIR/events" ||
		refuse space "cannot write to $SPOOL"
	BUSY="change $CHANGE of tower $TOWER is written off: $WHY"
}

do_resume() {
	check_spool
	speak
	hold_secrets
	hush
	enter_gate
	DIR=jobs/$JOB
	[ ! -e "$DIR/meta" ] || attach
	is_done "$JOB" && say_done
	refuse lost "the host does not know this change"
}

# A resume that confirms a step as well.
do_confirm() {
	do_resume
}

trim_done() {
	tail -n 1000 "done" >done.new && sync done.new && mv done.new "done" &&
		sync .
}

write_cancel() {
	printf '%s\n' "$WHO" >"$DIR/cancel.new" &&
		mv "$DIR/cancel.new" "$DIR/cancel"
}

# A job that is here already: sees to it that somebody works on it, follows.
attach() {
	load "$DIR/events"
	read -r _ EPOCH SEQ NONCE TOWER _ CHANGE _ <"$DIR/meta"
	LAST=$LIVES
	while [ -e "$DIR/stream.$((LAST + 1))" ]; do LAST=$((LAST + 1)); done
	if [ "$AT_LIFE" -gt "$LAST" ] || [ "$AT_EVENT" -gt "$EVENTS" ]; then
		refuse lost "the host went back in time"
	fi
	[ "$AT_LIFE" -gt 0 ] || AT=0
	# a power cut may eat the end of a stream, never what events hold; and
	# of a line that has lost its newline the tower may count the follower's
	if [ "$AT" -gt 0 ] &&
	    [ "$AT" -gt $(($(wc -c 2>/dev/null <"$DIR/stream.$AT_LIFE") + 1)) ]
	then
		case $BOOTS in *" $AT_LIFE:$BOOT "*)
			refuse lost "the host went back in time" ;;
		esac
	fi
	if [ -n "$VERDICT" ]; then
		# its executor may have died between writing it, syncing it and
		# showing it;
		# in a stream of its own, for a power cut may have left less
		# of the last one than the tower has heard
		if ! is_shown && ! is_alive "$DIR" && [ "$LAST" -gt 0 ]; then
			LAST=$((LAST + 1))
			repeat "$DIR/events" >"$DIR/stream.$LAST" &&
				sync "$DIR/events" "$DIR/stream.$LAST" "$DIR" &&
				printf '%s\n' "$BOOT" >"$DIR/shown" ||
				refuse space "cannot write to $SPOOL"
		fi
	else
		is_alive "$DIR" || ! is_short ||
			refuse lost "the record holds less than was shown"
		[ -z "$WHO" ] || write_cancel
		[ "$VERB" != confirm ] || confirm_step
		if ! is_alive "$DIR"; then
			# who put it there may have died before that was synced
			sync jobs || refuse space "cannot write to $SPOOL"
			place_secrets "$DIR"
			HELD=
			launch
		fi
	fi
	drop_upload
	follow
}

# Do the streams tell of an event that the record, which is loaded, lacks?  None
# is shown before it is synced: what was acted upon has been lost, and whoever
# went on would do it again.  An executor may have died since it was loaded.
is_short() {
	while grep -aqs "^@$NONCE $((EVENTS + 1)) [0-9]* .* \.\$" \
	    "$DIR"/stream.*; do
		N=$EVENTS
		load "$DIR/events"
		[ "$EVENTS" -gt "$N" ] || return 0
	done
	return 1
}

# The step that waits for it is confirmed, unless it is too late: then whoever
# is at work, or takes over, undoes it.
confirm_step() {
	[ "$STEP" = "$AWAITED" ] || return 0
	[ "$ASKED" = "$NONCE" ] || refuse bad "nonce"
	if [ "$BOOT" = "$AWAIT_BOOT" ]; then
		find_login
		[ "$BORN" -ge "$AWAIT_T" ] || refuse early \
			"this login is older than the end of step $STEP"
	fi
	time_left
	[ "$LEFT" -gt 0 ] || return 0
	printf '' >>"$DIR/$STEP.confirmed" ||
		refuse space "cannot write to $SPOOL"
}

# BORN: when the login came that this request belongs to: the sshd of its
# session, where that can be seen, else the session itself.  The session's first
# process is this one, or the sudo before it.
find_login() {
	born $$
	# shellcheck disable=SC2086 # fields
	set -- ${STAT##*) }
	SINCE=$BORN
	if [ "$4" = "$2" ] && born "$2"; then
		SINCE=$BORN
		# shellcheck disable=SC2086 # fields
		set -- ${STAT##*) }
	elif [ "$4" != $$ ]; then
		return
	fi
	! born "$2" || case $STAT in *' (sshd'*) SINCE=$BORN ;; esac
	BORN=$SINCE
}

# Is the verdict in the stream?  A mark from an earlier boot proves nothing: the
# power cut may have spared it, and not the stream.
is_shown() {
	read -r WORD 2>/dev/null <"$DIR/shown" && [ "$WORD" = "$BOOT" ]
}

# The streams from (AT_LIFE, AT) on, to the end of the executor at work.
follow() {
	exec 8>&-
	[ "$AT_LIFE" -gt 0 ] || AT_LIFE=1
	WHOLE=1
	say token "$EPOCH.$SEQ"
	while [ -e "$DIR/stream.$AT_LIFE" ]; do
		say stream "$AT_LIFE" "$AT"
		NEWER=$DIR/stream.$((AT_LIFE + 1))
		if [ ! -e "$NEWER" ] && { [ -n "$LAUNCHED" ] || is_alive "$DIR"; }
		then
			live
		else
			tail -c "+$((AT + 1))" "$DIR/stream.$AT_LIFE"
		fi || WHOLE=
		[ -e "$NEWER" ] || break
		AT_LIFE=$((AT_LIFE + 1)) AT=0
	done
	WORD=gone
	[ -z "$WHOLE" ] || ! is_shown || WORD=verdict
	say over "$WORD"
	exit 0
}

# The live stream, as long as process PID is there.
live() {
	LAUNCHED=
	tail -c "+$((AT + 1))" -f -s 0.05 --pid="$PID" "$DIR/stream.$AT_LIFE" \
		</dev/null 2>/dev/null &
	TAIL=$!
	beat &
	BEAT=$!
	wait "$TAIL"
	set -- $?
	kill "$BEAT" 2>/dev/null
	return "$1"
}

# A dot every 10 s, until nobody listens.  Ends a tail that waits for a zombie.
beat() {
	exec </dev/null >/dev/null
	N=0 DEAD=
	while sleep 2 2>/dev/null; do
		[ -z "$DEAD" ] || { kill "$TAIL"; exit; }
		born "$PID" || DEAD=1
		N=$((N + 1))
		[ $((N % 5)) -ne 0 ] || printf . >&2 || { kill "$TAIL" $$; exit; }
	done
}

# --- leaving -----------------------------------------------------------------

# Takes the tower's files off, and then its key: as long as this has not come
# to its end the tower gets in and can ask again.  What may be refused is
# refused before anything was done; what fails after that is said with what was.
do_revoke() {
	trap '' HUP
	TAB=$(printf '\t') CR=$(printf '\r')
	TAKEN=
	if [ ! -e "$SPOOL" ] && [ ! -L "$SPOOL" ]; then
		TAKEN=absent
	elif enter_spool && [ ! -e id ] && [ ! -e jobs ]; then
		TAKEN=left
	fi
	if [ -z "$TAKEN" ]; then
		check_spool
		enter_gate
		[ -z "$BUSY" ] || refuse busy "$BUSY"
	else
		hello -
	fi
	find_key_files
	NEWS= COUNT=0 WRONG=
	while IFS= read -r WORD; do
		without_keys "$WORD"
	done <<-END
		$KEY_FILES
	END
	[ -z "$WRONG" ] || refuse_keys "cannot change $WRONG"
	[ "$COUNT" -gt 0 ] || refuse_keys "the tower's key is in no" \
		"authorized_keys file of $WHOSE: another lets it in"
	[ -n "$TAKEN" ] || take_spool
	if put_keys; then
		say revoked "$COUNT" "$TAKEN"
	else
		drop_news
		say stopped "$COUNT" "$TAKEN" "$WRONG"
	fi
	say over revoke
	exit 0
}

refuse_keys() {
	drop_news
	refuse keys "$@"
}

drop_news() {
	while IFS= read -r LINE; do
		[ -z "$LINE" ] || rm -f -- "${LINE#* }.towerify.$NONCE"
	done <<-END
		$NEWS
	END
}

# KEY_FILES: where sshd looks for the keys of the login, one a line; WHOSE it
# is.  By sudo, that is not who we are now.
find_key_files() {
	WHOSE=$LOGIN WORD=$HOME
	case $ME:$SUDO_USER in
	0:|0:root|0:*[!A-Za-z0-9._-]*) ;;
	0:*)	WHOSE=$SUDO_USER
		eval "WORD=~$SUDO_USER" ;;
	esac
	FILES='.ssh/authorized_keys .ssh/authorized_keys2'
	[ "$ME" != 0 ] || FILES="$FILES $(sshd -T -C \
		"user=$WHOSE,host=localhost,addr=127.0.0.1" 2>/dev/null |
		sed -n 's/^authorizedkeysfile //p')"
	KEY_FILES=
	set -f
	for FILE in $FILES; do
		FILE=$(printf '%s\n' "$FILE" | sed -e "s|%h|$WORD|g" \
			-e "s|%u|$WHOSE|g" -e "s|%U|$(id -u "$WHOSE")|g")
		case $FILE in /*) ;; *) FILE=$WORD/$FILE ;; esac
		# a link is left one, and a file that has two names is one
		FILE=$(readlink -f -- "$FILE") && [ -f "$FILE" ] || continue
		case "$NL$KEY_FILES" in
		*"$NL$FILE$NL"*) ;;
		*) KEY_FILES="$KEY_FILES$FILE$NL" ;;
		esac
	done
	set +f
} 2>/dev/null

# What file $1 becomes, beside it: NEWS, with how many lines are left out.  COUNT
# of them all.
without_keys() {
	FILE=$1 N=0 DROP= HERE=0
	[ -n "$FILE" ] || return 0
	while IFS= read -r LINE || [ -n "$LINE" ]; do
		N=$((N + 1))
		! holds_key || DROP="$DROP${N}d;" HERE=$((HERE + 1))
	done <"$FILE"
	[ -n "$DROP" ] || return 0
	WORD=$FILE.towerify.$NONCE
	NEWS="$NEWS$HERE $FILE$NL" COUNT=$((COUNT + HERE))
	# whoever may open anything can't open what is made immutable
	{ [ "$ME" != 0 ] || : 1<>"$FILE"; } && (set -C && : >"$WORD") &&
		sed "$DROP" <"$FILE" >"$WORD" &&
		cp -a --attributes-only -T -- "$FILE" "$WORD" &&
		sync -- "$WORD" || WRONG=$FILE
} 2>/dev/null

# COUNT: lines that are out.  WRONG: what failed; there it stops.
put_keys() {
	COUNT=0
	while IFS= read -r LINE; do
		[ -n "$LINE" ] || continue
		FILE=${LINE#* }
		WRONG="cannot change $FILE"
		mv -fT -- "$FILE.towerify.$NONCE" "$FILE" || return 1
		COUNT=$((COUNT + ${LINE%% *}))
		WRONG="cannot sync $FILE"
		sync -- "${FILE%/*}/" || return 1
	done <<-END
		$NEWS
	END
} 2>/dev/null

# Does LINE of an authorized_keys let one of KEYS in?
holds_key() {
	for KEY in $KEYS; do
		case $LINE in *"${KEY#*:}"*) ;; *) continue ;; esac
		skip_blanks "$LINE"
		case $REST in '#'*) continue ;; esac
		! is_key || return 0
		skip_options
		! is_key || return 0
	done
	return 1
}

# REST: $1 without the blanks before it
skip_blanks() {
	REST=${1#"${1%%[!"$TAB "]*}"}
}

# Does REST begin with KEY, type and all?
is_key() {
	WORD=$REST
	TYPE=${KEY%%:*} BASE64=${KEY#*:}
	case $REST in "$TYPE "*|"$TYPE$TAB"*) ;; *) return 1 ;; esac
	skip_blanks "${REST#"$TYPE"}"
	case $REST in
	"$BASE64"|"$BASE64 "*|"$BASE64$TAB"*|"$BASE64$CR"*) return 0 ;;
	esac
	REST=$WORD
	return 1
}

# To what follows the first blank that is not in quotes.
skip_options() {
	QUOTED=
	while [ -n "$REST" ]; do
		case ${QUOTED:-0}$REST in
		[01]'\"'*) REST=${REST#?} ;;
		0'"'*) QUOTED=1 ;;
		1'"'*) QUOTED= ;;
		0["$TAB "]*) break ;;
		esac
		REST=${REST#?}
	done
	skip_blanks "$REST"
}

# The spool goes, but for one that another queue uses too.  The id last: without
# it what is left would be nobody's.
take_spool() {
	wait
	for WORD in /run "$XDG_RUNTIME_DIR" /dev/shm; do
		rm -f "$WORD/towerify-$ME/$SPOOL_ID".*
		rmdir "$WORD/towerify-$ME"
	done
	if is_shared; then
		TAKEN=shared
		rm -f "fence/$QUEUE"
		return
	fi
	rm -rf jobs in fence "done" done.new held held.new id.new lock gate
	rm -f id
	cd / && rmdir "$SPOOL" && TAKEN=gone || TAKEN=left
} 2>/dev/null

# Whatever is there of other queues.
is_shared() {
	[ -z "$SHARED" ] || return 0
	for WORD in in/* fence/* jobs/*; do
		case $WORD in
		'in/*'|'fence/*'|'jobs/*'|"fence/$QUEUE") continue ;;
		jobs/*)	Q=
			read -r Q _ <"$WORD/meta"
			[ "$Q" != "$QUEUE" ] || continue ;;
		esac
		return 0
	done
	while read -r Q _; do
		[ "$Q" = "$QUEUE" ] || return 0
	done <"done"
	return 1
} 2>/dev/null

fact() {
	say fact "$@"
}

do_init() {
	if [ -n "$MISSING" ]; then
		hello
		facts
	fi
	if [ ! -e "$SPOOL" ] && [ ! -L "$SPOOL" ]; then
		mkdir -p -- "${SPOOL%/*}/" && mkdir -m 700 -- "$SPOOL"
	fi 2>/dev/null
	enter_spool || deny spool "$WRONG"
	if [ -s id ]; then
		read -r _ ID _ <id
		check_spool
		enter_gate
		facts
	fi
	for WORD in jobs/* 'done' held; do
		[ ! -e "$WORD" ] || [ -s id ] ||
			deny spool "different: $SPOOL holds $WORD but no id"
	done
	mkdir -p jobs in fence && command exec 8>>gate && flock -w 20 8 ||
		deny space "cannot write to $SPOOL"
	if [ ! -s id ]; then
		read -r WORD </proc/sys/kernel/random/uuid
		IFS=-
		# shellcheck disable=SC2086 # its parts
		set -- $WORD
		unset IFS
		printf '1 %s %s\n' "$1$2$3$4$5" "$MACHINE" >id.new &&
			sync id.new && mv id.new id && sync . .. ||
			deny space "cannot write to $SPOOL"
	fi
	read -r _ SPOOL_ID _ <id
	hello
	facts
}

do_facts() {
	if [ "$ID" = - ]; then
		hello
	else
		check_spool
		enter_gate
	fi
	facts
}

facts() {
	env --default-signal true 2>/dev/null ||
		MISSING="$MISSING coreutils-8.31"
	OS_ID= OS_VERSION=
	while IFS= read -r LINE; do
		WORD=${LINE#*=}
		WORD=${WORD#[\"\']}
		WORD=${WORD%[\"\']}
		case $LINE in
		ID=*) OS_ID=$WORD ;;
		VERSION_ID=*) OS_VERSION=$WORD ;;
		esac
	done </etc/os-release 2>/dev/null
	read -r _ MEMORY _ </proc/meminfo
	read -r WORD </proc/sys/kernel/hostname
	fact hostname "$WORD"
	fact uid "$ME"
	fact user "$(id -un)"
	fact os "$OS_ID"
	fact os_version "$OS_VERSION"
	# shellcheck disable=SC2046 # two words
	set -- $(uname -rm)
	fact kernel "$1"
	fact arch "$2"
	fact memory_kb "$MEMORY"
	WORD=${SPOOL%/*}/
	while [ ! -d "$WORD" ]; do WORD=${WORD%/*/}/; done
	# shellcheck disable=SC2046 # two words
	set -- $(stat -f -c '%a %S' -- "$WORD")
	fact disk_free_kb "$(($1 * $2 / 1024))"
	WORD=no
	[ "$ME" != 0 ] && ! sudo -n true </dev/null >/dev/null 2>&1 || WORD=yes
	fact sudo "$WORD"
	fact systemd "$SYSTEMD"
	fact missing "${MISSING# }"
	set --
	for WORD in apache2 caddy haproxy lighttpd nginx yunohost; do
		! command -v "$WORD" >/dev/null || set -- "$@" "$WORD"
	done
	fact software "$*"
	WORD=no
	if [ "$SPOOL_ID" != - ]; then
		printf '' >"in/$$.probe" &&
			fallocate -n -l 4096 "in/$$.probe" && WORD=yes
		rm -f "in/$$.probe"
	fi 2>/dev/null
	fact fallocate "$WORD"
	say over facts
	exit 0
}

do_plan() {
	check_spool
	speak
	upload
	hold_secrets
	hush
	[ -z "$NOWHERE" ] || deny secret "$NOWHERE"
	[ -z "$HELD" ] || printf '%s\n' "$HELD" >"$IN/secret" ||
		deny space "no room for the upload"
	enter_gate
	exec 8>&-
	exec env -i --default-signal "HOME=$HOME" "USER=$LOGIN" "PATH=$PATH" \
		LC_ALL=C dash "$SPOOL/$IN/executor" plan "$SPOOL" "$SPOOL/$IN"
}

# --- the program -------------------------------------------------------------

# The job is a list of calls of these; a value is one word, K a number.
s_param() {
	eval "P_$1=\$2"
	PARAMS="$PARAMS $1"
}
s_secret() {
	SECRETS="$SECRETS $1"
}
s_step() {
	eval "KIND_$1=\$2 LIMIT_$1=\$3 RETRIES_$1=\$4 DELAY_$1=\$5 UNDO_$1=none"
	eval "TEXT_$1_check= TEXT_$1_unless= TEXT_$1_verify= USES_$1="
	eval "USE_$1= ARGS_$1= CONFIRM_$1="
	STEPS=$1
}
s_text() {
	eval "TEXT_$1_$2=\$3"
}
s_undo() {
	eval "UNDO_$1=\$2"
}
s_file() {
	eval "PATH_$1=\$2 MODE_$1=\$3 OWNER_$1=\$4 OFFSET_$1=\$5 LENGTH_$1=\$6
	SHA_$1=\$7"
}
s_confirm() {
	eval "CONFIRM_$1=\$2"
}
s_uses() {
	eval "shift; USES_$1=\$*"
}
s_kind() {
	printf '%s' "$2" >"kind.$1" || stop 1
}
s_use() {
	eval "USE_$1=\$2"
}
s_arg() {
	eval "ARGS_$1=\"\$ARGS_$1 $2\" ARG_$1_$2=\$3"
}
s_content() {
	dd if=blob of="$1.arg.$2" bs=65536 iflag=skip_bytes,count_bytes \
		skip="$3" count="$4" status=none || stop 1
	s_arg "$1" "$2" "$JOB/$1.arg.$2"
}
s_end() {
	WHOLE=$1
}

# Reads the program in JOB, and prepares the directories of its steps.
read_program() {
	PARAMS= SECRETS= STEPS=0 WHOLE=
	# shellcheck disable=SC1091 # the program
	. ./job
	[ "$WHOLE" = "$STEPS" ] || stop 65
	if [ -n "$SECRETS" ] && ! read_secrets; then
		[ -z "$PLAN" ] || plan_over 1
		stop 1
	fi
	# as the request made them, unless a power cut ate them
	N=0
	set --
	while [ "$N" -lt "$STEPS" ]; do
		N=$((N + 1))
		[ -d "keep/$N" ] || set -- "$@" "keep/$N"
	done
	[ -d cwd ] && [ $# -eq 0 ] || mkdir -p cwd "$@" || stop 1
}

# Sets what the program calls secret; false when any of it is not there, or not
# whole.
read_secrets() {
	# none of it in a core file, neither of this process nor of a step
	# shellcheck disable=SC3045 # dash
	ulimit -S -c 0
	# shellcheck disable=SC1090 # assignments
	has_secrets . && command . "$HELD" || return 1
	for NAME in $SECRETS; do
		eval "[ -n \"\${P_$NAME+set}\" ]" || return 1
	done
}

# K, and what the program says of it.
take_step() {
	K=$1 TRY=1
	eval "KIND=\$KIND_$K LIMIT=\$LIMIT_$K RETRIES=\$RETRIES_$K
	DELAY=\$DELAY_$K UNDO=\$UNDO_$K USES=\$USES_$K USE=\$USE_$K
	ARGS=\$ARGS_$K CONFIRM=\$CONFIRM_$K"
	case $KIND${USE:+.kind} in
	file)
		BEFORE=file AFTER= RUN=file BACK=file
		;;
	reboot)
		BEFORE= AFTER= RUN=$REBOOT BACK= RETRIES=0
		;;
	*.kind)
		case $UNDO:$PLAN in
		auto:) BEFORE="ASK=keep$NL$ASK_KIND" ;;
		auto:*) BEFORE="ASK=undoable$NL$ASK_KIND" ;;
		*) BEFORE="ASK=:$NL$ASK_KIND" ;;
		esac
		AFTER=$CALL_KIND$NL"check" RUN=$CALL_KIND$NL"run"
		BACK=$CALL_KIND$NL"undo"
		;;
	*)
		eval "BEFORE=\${TEXT_${K}_check:-\$TEXT_${K}_unless}
		AFTER=\${TEXT_${K}_check:-\$TEXT_${K}_verify}
		RUN=\$TEXT_${K}_run BACK=\$TEXT_${K}_undo"
		;;
	esac
}

# By whatever means this host has; a site's own `reboot` comes first.
# shellcheck disable=SC2016 # for the step's shell
REBOOT='sync
case $(command -v reboot) in
/sbin/*|/usr/sbin/*|/bin/*|/usr/bin/*|"") ;;
*) exec reboot ;;
esac
[ ! -d /run/systemd/system ] || exec systemctl reboot
! command -v shutdown >/dev/null || exec shutdown -r now
exec reboot'

# shellcheck disable=SC2016 # for the step's shell
CALL_KIND='. "$TOWERIFY_KIND"'

# Of a kind, before run: 0, the state holds; 1, it does not, and what undo needs
# is kept, once; 3, that could not be kept.  In subshells, for where
# a command is a condition -e does not count.
# shellcheck disable=SC2016 # for the step's shell
ASK_KIND='set +e
(set -e; . "$TOWERIFY_KIND"; check)
S=$?
case $S in 0|12[6-9]|1[3-9]?|2??) exit "$S" ;; esac
[ ! -e "$KEEP/.kept" ] || exit 1
(
keep() { undoable; }
undoable() { :; }
set -e
. "$TOWERIFY_KIND"
"$ASK"
[ "$ASK" != keep ] || : >"$KEEP/.kept"
)
[ $? -eq 0 ] || exit 3
exit 1'

# --- processes ---------------------------------------------------------------

# Under systemd the executor's own control group, in which each phase gets one;
# a group that a phase has left empty serves for the next.
find_group() {
	GROUP= GROUP_N=0
	while IFS=: read -r N WORD WHERE; do
		case $WHERE in */towerify-"$ID".service) ;; *) continue ;; esac
		case $N:$WORD in
		0:) set -- /sys/fs/cgroup /sys/fs/cgroup/unified ;;
		*:name=systemd) set -- /sys/fs/cgroup/systemd ;;
		*) continue ;;
		esac
		for DIR; do
			[ ! -w "$DIR$WHERE/cgroup.procs" ] || GROUP=$DIR$WHERE
		done
	done </proc/self/cgroup
	[ -n "$GROUP" ] || return 0
	while [ -d "$GROUP/$((GROUP_N + 1))" ]; do GROUP_N=$((GROUP_N + 1)); done
}

group_is_empty() {
	if [ -e "$1/cgroup.events" ]; then
		read -r _ N <"$1/cgroup.events"
		[ "$N" = 0 ]
	else
		! read -r N <"$1/cgroup.procs"
	fi
}

fresh_group() {
	[ -n "$GROUP" ] || return 0
	[ "$GROUP_N" -eq 0 ] || ! group_is_empty "$GROUP/$GROUP_N" || return 0
	GROUP_N=$((GROUP_N + 1))
	mkdir "$GROUP/$GROUP_N" || GROUP=
}

# PIDS: the processes of the groups from number $2 on, and all with a tag that
# begins with $1: a name for each file, so that what one process says can't
# condemn another.
find_left() {
	PIDS=
	N=$2
	while [ -n "$GROUP" ] && [ "$N" -le "$GROUP_N" ]; do
		for DIR in "$GROUP/$N" "$GROUP/$N"/*/ "$GROUP/$N"/*/*/; do
			[ -r "$DIR/cgroup.procs" ] || continue
			while read -r P; do
				PIDS="$PIDS $P"
			done <"$DIR/cgroup.procs"
		done
		N=$((N + 1))
	done
	ALL=$(grep -lsz "^TOWERIFY_TAG=$1" /proc/[0-9]*/environ)
	for P in $ALL; do
		P=${P#/proc/}
		PIDS="$PIDS ${P%/environ}"
	done
}

# Ends what find_left finds: TERM, after 2 s KILL, until there is nothing left.
# With $3 not so gently.
end_left() {
	SIGNAL=${3:-TERM}
	now
	UNTIL=$((NOW + 200))
	while find_left "$1" "$2"; [ -n "$PIDS" ]; do
		# shellcheck disable=SC2086 # a list
		[ -z "$SIGNAL" ] || kill -s "$SIGNAL" $PIDS 2>/dev/null
		sleep 0.05
		now
		if [ "$NOW" -ge "$UNTIL" ]; then
			SIGNAL=KILL
		elif [ "$SIGNAL" = TERM ]; then
			SIGNAL=
		fi
	done
}

start_ticker() {
	while sleep 1; do
		kill -s ALRM $$ || exit
	done </dev/null >/dev/null 2>&1 4>&- 9>&- &
	TICKER=$!
}

stop() {
	trap '' TERM ALRM
	[ -z "$TICKER" ] || kill "$TICKER" 2>/dev/null
	exit "$1"
}

# TERM: the host goes down.  No verdict: that is for who takes over.
halt() {
	trap '' TERM
	[ -z "$TAG" ] || end_left "$TAG" "$GROUP_N" KILL
	stop 143
}

# Waits until centisecond $1 of this boot; false when cancelled before.
wait_until() {
	while now; [ "$NOW" -lt "$1" ]; do
		[ -n "$2" ] || [ ! -e cancel ] || return 1
		tick
	done
}

tick() {
	TICK=
	wait "$TICKER"
	[ -n "$TICK" ] || start_ticker
}

# --- output ------------------------------------------------------------------

# One filter a step copies what comes out of the FIFO into the stream.  It has
# reached the end when nobody has the FIFO open; when something the step has
# left behind keeps it, the next FIFO is another one.
open_output() {
	[ -p fifo ] || mkfifo fifo || stop 1
	fresh_group
	[ -z "$GROUP" ] || printf '%s\n' "$GROUP_N" >group || stop 1
	# the other way round the first open would wait for the second
	exec 7<>fifo
	exec 3<fifo 8>fifo 7>&-
	# in braces: dash keeps a copy of what a function's redirection closes
	{ filter; } </dev/null 2>/dev/null 8>&- 9>&- &
	FILTER=$!
	exec 3<&-
}

close_output() {
	exec 8>&-
	N=0
	while TICK=; wait "$FILTER"; [ -n "$TICK" ]; do
		N=$((N + 1))
		[ "$N" -lt 2 ] || kill -s USR1 "$FILTER" 2>/dev/null
	done
	[ "$N" -lt 2 ] || rm -f fifo
}

# The first CAP bytes as they come, of the rest the last CAP at the end.  USR1
# leaves the FIFO to a drain, so that who holds it is not ended by SIGPIPE.
filter() {
	LEAVE= SIGNAL=TERM COPIER= LEFT=$CAP
	trap - TERM ALRM
	trap 'LEAVE=1; kill -s "$SIGNAL" "$COPIER"' USR1
	while [ -z "$LEAVE" ] && [ "$LEFT" -ge 512 ]; do
		dd bs=512 count=$((LEFT / 512)) <&3 >&4 2>copied &
		COPIER=$!
		copied
		# fewer blocks than asked for: that was the end, or a full disk
		[ "$BLOCKS" -eq $((LEFT / 512)) ] || break
		LEFT=$((LEFT - BYTES))
	done
	if [ -z "$LEAVE" ] && [ "$LEFT" -lt 512 ]; then
		SIGNAL=INT	# upon which dd says how much it was
		rm -f rest
		mkfifo rest
		tail -c "$CAP" <rest >last &
		KEEPER=$!
		env --default-signal=INT dd bs=65536 <&3 >rest 2>copied &
		COPIER=$!
		copied
		while wait "$KEEPER"; kill -0 "$KEEPER"; do :; done
		[ "$BYTES" -le "$CAP" ] || say cut $((BYTES - CAP)) . >&4
		cat last >&4
		rm -f last rest
	fi
	exec >/dev/null 4>&-
	if [ -n "$LEAVE" ]; then
		cat <&3 &
	elif [ "$BLOCKS" -lt 0 ]; then
		cat <&3
	fi
	exit 0
}

# Waits for the copier.  BLOCKS and BYTES it copied; -1 and 0 if it failed.
copied() {
	while wait "$COPIER"; kill -0 "$COPIER"; do :; done
	BLOCKS=-1 BYTES=0
	while read -r N WORD ALL; do
		case $WORD:$ALL in
		records:in) COUNT=$((${N%+*} + ${N#*+})) ;;
		bytes:*|byte:*) BYTES=$N BLOCKS=$COUNT ;;
		*error*) return ;;
		esac
	done <copied
}

# --- the record --------------------------------------------------------------

# An event is decided here and written by commit, with those decided since.
# In the stream a line ends with a mark, which a torn one lacks.
event() {
	now
	EVENTS=$((EVENTS + 1))
	RECORD="$RECORD$EVENTS $NOW $*$NL"
	SHOW="$SHOW$NL@$NONCE $EVENTS $NOW $* .$NL"
}

# Written, synced, and only then shown and acted upon.  What can't be written
# ends the executor, without a verdict.
commit() {
	[ -n "$RECORD" ] || return 0
	printf '%s' "$RECORD" >>events && sync events &&
		printf '%s' "$SHOW" >&4 || stop 1
	RECORD= SHOW=
}

# --- steps -------------------------------------------------------------------

# Runs phase $1 of step K, with command $2, after committing what announces it.
# HOW it ended (exited, timed-out, cancelled) and CODE.
phase() {
	PHASE=$1 HOW=exited
	printf '%s\n' "$2" >"$K.$PHASE" || stop 1
	is_empty cwd || { rm -rf cwd && mkdir cwd; } || stop 1
	fresh_group
	if [ "$PHASE$KIND" = runrun ]; then
		# what a check has kept; a file step syncs its own
		is_empty "keep/$K" || sync -f "keep/$K" || stop 1
	fi
	commit
	[ -n "$PLAN" ] || TAG=$ID/$K/$PHASE/$TRY
	now
	UNTIL=$((NOW + LIMIT * 100))
	{ step_shell; } </dev/null >&8 2>&1 4>&- 8>&- &
	CHILD=$!
	while TICK=; wait "$CHILD"; CODE=$?; [ -n "$TICK" ]; do
		now
		if [ "$NOW" -ge "$UNTIL" ]; then
			HOW=timed-out
		elif [ -e cancel ] && [ "$PHASE$KIND" != runreboot ] &&
		    [ "$PHASE" != undo ]; then
			HOW=cancelled
		else
			[ -z "$PLAN" ] || plan_beat
			continue
		fi
		end_left "$TAG" "$GROUP_N"
		while TICK=; wait "$CHILD"; [ -n "$TICK" ]; do :; done
		CODE=0
		break
	done
	# what a failed phase has left half done must not meet the next one
	[ "$HOW$PHASE" = exitedcheck ] || [ "$CODE" -eq 0 ] ||
		end_left "$TAG" "$GROUP_N"
	TAG=
}

is_empty() {
	for P in "$1"/* "$1"/.[!.]* "$1"/..?*; do
		[ ! -e "$P" ] && [ ! -L "$P" ] || return 1
	done
}

# The process that becomes the step.  It lets go of the lock only when its tag
# can be seen, so that who gets the lock next will find it.
step_shell() {
	[ -z "$GROUP" ] || echo 0 >"$GROUP/$GROUP_N/cgroup.procs"
	umask 022
	export SHELL=/bin/sh DEBIAN_FRONTEND=noninteractive \
		KEEP="$JOB/keep/$K" TOWERIFY_CHANGE="$CHANGE" \
		TOWERIFY_HOST="$HOST" TOWERIFY_STEP="$K" TOWERIFY_TAG="$TAG"
	# shellcheck disable=SC2016 # for that shell
	set -- -euc 'exec 9>&-; . "$0"' "$JOB/$K.$PHASE"
	if [ "$KIND" = file ]; then
		eval "set -- \"\$JOB/executor\" file ${PLAN:+plan}$PHASE \
			\"\$PATH_$K\" \"\$MODE_$K\" \"\$OWNER_$K\" \
			\"\$OFFSET_$K\" \"\$LENGTH_$K\" \"\$SHA_$K\""
	fi
	for NAME in $PARAMS $USES; do
		eval "export \"\$NAME=\$P_$NAME\""
	done
	if [ -n "$USE" ]; then
		export TOWERIFY_KIND="$JOB/kind.$USE"
		for NAME in $ARGS; do
			eval "export \"arg_\$NAME=\$ARG_${K}_$NAME\""
		done
	fi
	cd cwd && unset OLDPWD &&
		exec env --default-signal LC_ALL=C.UTF-8 sh "$@"
}

cancelled() {
	read -r WHO <cancel
	FAILED=1
	event cancel "$WHO"
}

# Step K to its end; FAILED when that was not a good one.
step() {
	event start "$K"
	[ -n "$BEFORE" ] || applied
	open_output
	END=
	while attempt; [ -z "$END" ]; do
		# shellcheck disable=SC2086 # state, phase, code
		event try "$K" "$TRY" $BAD
		commit
		TRY=$((TRY + 1))
		now
		if ! wait_until $((NOW + DELAY * 100)); then
			END='interrupted run 0'
			break
		fi
		[ -n "$BEFORE" ] || applied
	done
	close_output
	case $END in done*) [ -z "$CONFIRM" ] || await_confirm ;; esac
	end_step
}

end_step() {
	case $END in
	done*|unchanged*) ;;
	interrupted*) cancelled ;;
	*) FAILED=1 ;;
	esac
	# shellcheck disable=SC2086 # state, phase, code
	event end "$K" $END
}

# It went well; if that can't be confirmed it is undone.
await_confirm() {
	event await "$K" "$CONFIRM"
	AWAIT_T=$NOW AWAIT_LIMIT=$CONFIRM AWAIT_BOOT=$BOOT
	take_confirm
}

take_confirm() {
	commit
	time_left
	UNTIL=$((NOW + LEFT))
	END=
	while now; [ -z "$END" ]; do
		if [ -e "$K.confirmed" ]; then
			END='done confirm 0'
		elif [ -e cancel ]; then
			END='interrupted confirm 0'
		elif [ "$NOW" -ge "$UNTIL" ]; then
			END='timed-out confirm 0'
		else
			tick
		fi
	done
}

# From here on the step may have changed the host.
applied() {
	RAN="$RAN$K "
	event run "$K" "$TRY"
	RUN_T=$NOW
}

# One attempt.  END is set when it is the last; else BAD says how it failed.
attempt() {
	if [ -n "$BEFORE" ]; then
		phase check "$BEFORE"
		case $HOW:$CODE:$KIND$USE:$TRY in
		timed-out:*) END='timed-out check 0' ;;
		cancelled:*:1) END='interrupted check 0' ;;
		cancelled:*) END='interrupted run 0' ;;
		exited:0:*:1) END='unchanged check 0' ;;
		exited:0:*) END='done check 0' ;;
		exited:3:file:*|exited:3:run?*:*) END='failed prepare 1' ;;
		*:12[6-9]:*|*:1[3-9]?:*|*:2??:*)
			END="failed check $CODE" ;;
		esac
		[ -z "$END" ] || return 0
		applied
	fi
	phase run "$RUN"
	WORD=$KIND
	if [ "$HOW$CODE" = exited0 ] && [ -n "$AFTER" ]; then
		phase verify "$AFTER"
		WORD=verify
	fi
	if [ "$HOW$CODE" = exited0 ] && [ "$KIND" = reboot ]; then
		await_reboot
	fi
	case $HOW$CODE in
	exited0) END="done $WORD 0" ;;
	exited*) BAD="failed $WORD $CODE" ;;
	cancelled*) END='interrupted run 0' ;;
	*) BAD="timed-out $WORD 0" ;;
	esac
	[ -n "$END" ] || [ "$TRY" -le "$RETRIES" ] || END=$BAD
}

# The reboot was asked for: either it ends this life, or it never comes.
await_reboot() {
	wait_until $((RUN_T + LIMIT * 100)) regardless
	HOW=timed-out
}

# Undoes what was applied, the last first.
undo_all() {
	N_BACK=$STEPS
	while [ "$N_BACK" -gt 0 ]; do
		case $RAN:$UNDONE in
		*:*" $N_BACK "*) ;;
		*" $N_BACK "*:*)
			take_step "$N_BACK"
			undo_one
			;;
		esac
		N_BACK=$((N_BACK - 1))
	done
}

undo_one() {
	END="impossible 0"
	case $UNDO in
	nothing)
		return
		;;
	script|auto)
		event undo "$K"
		open_output
		phase undo "$BACK"
		close_output
		case $HOW$CODE in
		exited0) END='done 0' ;;
		exited*) END="failed $CODE" ;;
		*) END='timed-out 0' ;;
		esac
		;;
	esac
	[ "$END" = 'done 0' ] || BROKEN=1
	# shellcheck disable=SC2086 # state and code
	event undone "$K" $END
}

# --- the executor ------------------------------------------------------------

run() {
	SPOOL=$1 ID=$2 JOB=$1/jobs/$2 BOOTED=$3
	TAG= PLAN= TICKER= RECORD= SHOW= HELD=
	umask 077
	cd "$JOB" || exit 1
	exec 9>>"$SPOOL/lock"
	flock -w 10 9 || exit 0
	read -r _ _ _ NONCE TOWER HOST CHANGE ROOM CAP <meta || exit 0
	load events
	[ -z "$VERDICT" ] || exit 0
	LIFE=$((LIVES + 1))
	# of the life that it was launched for, it is there: see launch
	if [ ! -e "stream.$LIFE" ]; then
		printf '' >>"stream.$LIFE" && sync . || exit 1
	fi
	exec 4>>"stream.$LIFE"
	read -r BOOT </proc/sys/kernel/random/boot_id
	born $$
	printf '%s\n' "$LIFE $$ $BORN $BOOT" >pid || exit 1
	[ ! -e secret ] || IFS= read -r HELD <secret
	trap TICK=1 ALRM
	trap halt TERM
	trap '' PIPE
	start_ticker
	read_program
	find_group
	[ ! -s events ] || take_over
	# a unit that is started again would tell the clock of its first start
	now
	[ -n "$BOOTED" ] || BOOTED=$(($(date +%s) * 100 - NOW))
	event life "$LIFE" "$BOOT" "$(((BOOTED + NOW) / 100))"
	resume_step
	while [ -z "$FAILED" ] && [ "$NEXT" -le "$STEPS" ]; do
		if [ -e cancel ]; then
			cancelled
			break
		fi
		take_step "$NEXT"
		step
		NEXT=$((NEXT + 1))
	done
	[ -z "$FAILED" ] || undo_all
	give_verdict
	stop 0
}

# Another executor was here before and has died: ends what it left running.
take_over() {
	if [ "$(wc -c <events)" -ne "$BYTES" ]; then
		truncate -s "$BYTES" events || stop 1
		fallocate -n -l "$ROOM" events 2>/dev/null
	fi
	# it may have died before what it wrote was synced, which is shown now
	sync events && repeat events >&4 || stop 1
	N=0
	[ ! -e group ] || read -r N <group
	if [ -n "$UNDOING" ]; then
		end_left "$ID/$UNDOING/undo/" "$N"
	elif [ -n "$OPEN" ] && [ -z "$AWAITED" ]; then
		end_left "$ID/$OPEN/" "$N"
	fi
}

# Brings to its end what was open when the last executor died.
resume_step() {
	if [ -n "$UNDOING" ]; then
		BROKEN=1
		event undone "$UNDOING" interrupted 0
		UNDONE="$UNDONE$UNDOING "
	elif [ -n "$AWAITED" ]; then
		take_step "$AWAITED"
		# a cancel may be in the record, and its end not
		if [ -n "$FAILED" ]; then
			event end "$K" interrupted confirm 0
		else
			take_confirm
			end_step
		fi
	elif [ -n "$OPEN" ]; then
		take_step "$OPEN"
		case $KIND:$RAN in
		reboot:*" $K "*) resume_reboot ;;
		*" $K "*) END='interrupted run 0' ;;
		*) END='interrupted check 0' ;;
		esac
		[ "$END" = 'done reboot 0' ] || FAILED=1
		# shellcheck disable=SC2086 # state, phase, code
		event end "$K" $END
	fi
}

# A reboot was asked for in an earlier life, at RUN_TIME in boot RUN_BOOT.
resume_reboot() {
	END='timed-out reboot 0'
	now
	if [ "$BOOT" = "$RUN_BOOT" ]; then
		commit
		await_reboot
	elif [ $(($(date +%s) - NOW / 100 - RUN_TIME)) -le "$LIMIT" ]; then
		END='done reboot 0'
	fi
}

give_verdict() {
	VERDICT=succeeded
	[ -z "$FAILED" ] || VERDICT=rolled-back
	if [ -n "$BROKEN" ]; then
		VERDICT=failed
		printf '%s\n' "$CHANGE $TOWER was not wholly rolled back" \
			>"$SPOOL/held.new" && sync "$SPOOL/held.new" &&
			mv "$SPOOL/held.new" "$SPOOL/held" && sync "$SPOOL" ||
			stop 1
	fi
	event verdict "$VERDICT"
	commit
	[ -z "$HELD" ] || rm -f "$HELD"
	printf '%s\n' "$BOOT" >shown
}

# --- plan --------------------------------------------------------------------

plan() {
	SPOOL=$1 JOB=$2
	TICKER= RECORD= SHOW= GROUP= GROUP_N=0 PLAN=0 TRY=1
	umask 077
	cd "$JOB" || exit 1
	read -r _ _ _ NONCE _ HOST CHANGE _ <meta
	TAG= HELD=
	[ ! -e secret ] || IFS= read -r HELD <secret
	trap TICK=1 ALRM
	trap 'plan_over 143' TERM
	trap '' PIPE
	exec 4>&1
	start_ticker
	read_program
	[ -z "$HELD" ] || rm -f "$HELD"
	NEXT=0
	while [ "$NEXT" -lt "$STEPS" ]; do
		NEXT=$((NEXT + 1))
		take_step "$NEXT"
		WORD=unknown CODE=0
		if [ -n "$BEFORE" ]; then
			TAG=$NONCE/$K/plan
			open_output
			phase check "$BEFORE"
			close_output
			case ${USE:+kind}$HOW$CODE in
			*exited0) WORD=holds ;;
			kindexited3) WORD=noundo ;;
			*timed-out*|*exited12[6-9]|*exited1[3-9]?|*exited2??)
				WORD=broken ;;
			*) WORD=would ;;
			esac
		fi
		say plan "$K" "$WORD" "$CODE"
	done
	say over plan
	plan_over 0
}

# Each second: a dot every 10, and the end when nobody listens.
plan_beat() {
	PLAN=$((PLAN + 1))
	[ $((PLAN % 10)) -ne 0 ] || printf . >&2 || plan_over 1
}

plan_over() {
	trap '' TERM
	[ -z "$TAG" ] || end_left "$TAG" 1 KILL
	cd / && rm -rf "$JOB" ${HELD:+"$HELD"}
	stop "$1"
}

# --- file steps --------------------------------------------------------------

# One phase of the file step in $KEEP, in a process of its own.
file() {
	exec 9>&-
	umask 077
	TARGET=$2 MODE=$3 OWNER=$4 OFFSET=$5 LENGTH=$6 SHA=$7
	JOB=${KEEP%/keep/*} DIR=${TARGET%/*}/
	NEW=$DIR.towerify.${JOB##*/}.${KEEP##*/}
	case $1 in
	check)
		! file_holds || exit 0
		file_fits && file_keep || exit 3
		exit 1
		;;
	plancheck)
		! file_holds || exit 0
		file_fits || exit 126
		exit 1
		;;
	run)
		file_write || { rm -f -- "$NEW"; exit 1; }
		;;
	undo)
		file_restore || { rm -f -- "$NEW"; exit 1; }
		;;
	esac
	exit 0
}

file_has() {
	SUM=$(sha256sum <"$1") && [ "${SUM%% *}" = "$SHA" ]
}

file_holds() {
	[ -f "$TARGET" ] && [ ! -L "$TARGET" ] || return 1
	# shellcheck disable=SC2046 # fields
	set -- $(stat -c '%s %a %u %U %g %G' -- "$TARGET")
	[ "$1" = "$LENGTH" ] || return 1
	[ "$MODE" = - ] || [ "$((0$2))" -eq "$((0$MODE))" ] || return 1
	case $OWNER in
	-|"$3"|"$4"|"$3:$5"|"$3:$6"|"$4:$5"|"$4:$6") file_has "$TARGET" ;;
	*) return 1 ;;
	esac
}

# Can there be a file at this place?
file_fits() {
	if [ ! -d "$DIR" ]; then
		echo "towerify: there is no directory $DIR"
	elif [ -e "$TARGET" ] && [ ! -L "$TARGET" ] && [ ! -f "$TARGET" ]; then
		echo "towerify: $TARGET is not a regular file"
	else
		return 0
	fi
	return 1
}

# What is there now goes to KEEP, once; a mark when there is nothing.
file_keep() {
	if [ -e "$KEEP/absent" ] || [ -e "$KEEP/old" ] || [ -L "$KEEP/old" ]
	then
		return 0
	elif [ -e "$TARGET" ] || [ -L "$TARGET" ]; then
		cp -a -- "$TARGET" "$KEEP/old" || return 1
		[ -L "$KEEP/old" ] || sync "$KEEP/old" || return 1
	else
		printf '' >"$KEEP/absent" || return 1
	fi
	sync "$KEEP" "$KEEP/.."
}

file_write() {
	rm -f -- "$NEW"
	dd if="$JOB/blob" of="$NEW" bs=65536 iflag=skip_bytes,count_bytes \
		skip="$OFFSET" count="$LENGTH" conv=excl status=none || return 1
	if ! file_has "$NEW"; then
		echo "towerify: the content did not arrive whole"
		return 1
	fi
	if [ -f "$TARGET" ] && [ ! -L "$TARGET" ]; then
		chown --reference="$TARGET" -- "$NEW" || return 1
		[ "$MODE" != - ] || MODE=$(stat -c %a -- "$TARGET") || return 1
	fi
	[ "$OWNER" = - ] || chown -- "$OWNER" "$NEW" || return 1
	[ "$MODE" != - ] || MODE=0644
	chmod -- "$MODE" "$NEW" && sync -- "$NEW" &&
		mv -fT -- "$NEW" "$TARGET" && sync -- "$DIR"
}

file_restore() {
	rm -f -- "$NEW"
	if [ -e "$KEEP/absent" ]; then
		rm -f -- "$TARGET" || return 1
		[ ! -d "$DIR" ] || sync -- "$DIR"
		return
	fi
	cp -a -- "$KEEP/old" "$NEW" || return 1
	[ -L "$NEW" ] || sync -- "$NEW" || return 1
	mv -fT -- "$NEW" "$TARGET" && sync -- "$DIR"
}

main() {
	case $#:$1 in
	0:) request ;;
	*:run|*:plan|*:file) "$@" ;;
	esac
	exit 65
}
main "$@"
