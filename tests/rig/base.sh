# shellcheck shell=bash
# base.sh: the base system that all hosts of rig.sh stand on.
#
# It is made once by debootstrap and never written to again: hosts lay a file
# system of their own over it.  Its directory is named after what went into
# it, so a changed list makes a new one.  Old ones are not removed.

PACKAGES=systemd,systemd-sysv,dbus,openssh-server,iproute2,sudo
# A host may be a tower too: what the tools need at run time.
PACKAGES=$PACKAGES,openssh-client,libssh2-1,libsqlite3-0,libyaml-0-2,libuv1
PACKAGES=$PACKAGES,libjansson4,libsmartcols1,libsodium23,libssl3
EXTRA=${TOWERIFY_RIG_EXTRA:-}
SUITE=bookworm
RECIPE=2		# raise when finish_base changes what it makes
CACHE=${TOWERIFY_RIG_CACHE:-${XDG_CACHE_HOME:-/var/cache}/towerify-rig}

base_dir()
{
	local key

	key=$(printf '%s %s %s %s %s' "$RECIPE" "$SUITE" "$PACKAGES" "$EXTRA" \
		"$(dpkg --print-architecture 2>/dev/null)" | sha256sum)
	printf '%s/base-%.16s\n' "$CACHE" "$key"
}

# mirror: where this machine's own apt gets Debian from.
mirror()
{
	if [ -n "${TOWERIFY_RIG_MIRROR:-}" ]; then
		printf '%s\n' "$TOWERIFY_RIG_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt expands them
	apt-get indextargets \
	    --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(LABEL)' \
	    'Created-By: Packages' 2>/dev/null |
	awk -F '|' -v suite="$SUITE" '
		$1 !~ /^(https?|file):/ || $3 != "main" { next }
		$2 == suite { print $1; exit }
		$4 == "Debian" && $5 == "Debian" && !other { other = $1 }
		END { if (other) print other }' | head -n 1
}

# apt may know a proxy that the environment does not.
use_apt_proxy()
{
	local HTTP='' HTTPS=''

	eval "$(apt-config shell HTTP Acquire::http::Proxy \
		HTTPS Acquire::https::Proxy 2>/dev/null)"
	[ -z "$HTTP" ] || [ "$HTTP" = DIRECT ] || export http_proxy="$HTTP"
	[ -z "$HTTPS" ] || [ "$HTTPS" = DIRECT ] || export https_proxy="$HTTPS"
}

# finish_base ROOT: what makes a freshly unpacked Debian a good test host.
finish_base()
{
	local root=$1 unit file

	rm -f "$root"/etc/ssh/ssh_host_*_key* "$root"/var/cache/apt/*.bin
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
	# debootstrap copies these from the machine it runs on.
	rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
	: >"$root/etc/machine-id"
	rm -f "$root/var/lib/dbus/machine-id"

	# Nothing that works by the clock, and no prompt on the console.
	for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
	    dpkg-db-backup.timer fstrim.timer console-getty.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit" || return
	done

	# openssh-server depends on procps.  Its programs go, so that nothing
	# comes to need ps or pkill on a host; the package database stays whole.
	while IFS= read -r file; do
		case $file in
		/bin/?*|/sbin/?*|/usr/bin/?*|/usr/sbin/?*)
			rm -f "$root$file" ;;
		esac
	done <<-END
	$(chroot "$root" dpkg -L procps 2>/dev/null)
	END

	chroot "$root" useradd -m -s /bin/bash -p '*' deploy || return
	chroot "$root" useradd -m -s /bin/bash -p '*' plain || return
	echo 'deploy ALL=(ALL:ALL) NOPASSWD: ALL' \
		>"$root/etc/sudoers.d/deploy" || return
	chmod 0440 "$root/etc/sudoers.d/deploy"
}

# _base TEMP MIRROR: runs among mounts of its own, so that an interrupted
# debootstrap leaves none behind.
build_base()
{
	local temp=$1 from=$2

	use_apt_proxy
	timeout -k 10 1200 debootstrap --variant=minbase \
		--include="$PACKAGES${EXTRA:+,$EXTRA}" \
		"$SUITE" "$temp/root" "$from" >"$temp/log" 2>&1 || {
		say "debootstrap failed:"
		tail -n 3 "$temp/log" >&2
		return 1
	}
	finish_base "$temp/root"
}

# make_base: prints the base directory, made now if it is not there yet.
make_base()
{
	local base temp from

	base=$(base_dir)
	if [ ! -d "$base" ]; then
		mkdir -p "$CACHE" || die "$CACHE: cannot be made"
		exec 3>>"$CACHE/lock"
		flock -w 1800 3 || die "$CACHE: another build is at work"
	fi
	if [ ! -d "$base" ]; then
		from=$(mirror)
		[ -n "$from" ] || die "apt knows no Debian mirror"
		say "making the base system, once (about a minute, 300 MB)"
		rm -rf --one-file-system "$CACHE"/temp.*
		temp=$(mktemp -d "$CACHE/temp.XXXXXX") || exit 1
		# shellcheck disable=SC2064 # $temp is meant as it is now
		trap "rm -rf --one-file-system '${temp//\'/\'\\\'\'}'" EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM HUP
		unshare --mount --propagation private \
			/bin/bash "$SELF" _base "$temp" "$from" 3>&- ||
			die "the base system could not be made"
		{
			chmod 0755 "$temp/root" && sync -f "$temp/root" &&
				mv -T "$temp/root" "$base"
		} || die "$base: cannot be put in place"
	fi
	printf '%s\n' "$base"
}
