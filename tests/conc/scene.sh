# scene.sh - hosts whose steps say what they do, and what is asked of them; sourced
# shellcheck shell=sh
# shellcheck source=tests/e2e/lib.sh
#
# On top of tests/e2e/lib.sh.  What is recorded lies in $work/history:
#
#   programs, acts/NAME, tower, logs/HOST     what the checker reads
#
#   scene                 five hosts at two sshds, and the programs
#   program NAME LETTERS…  a change file, each word a step (history.h)
#   act …, checker …      the programs of this folder
#   tower_says            writes history/tower
#   judged                the checker's verdict on all of it

. "$top/tests/e2e/lib.sh"

build=${abs_top_builddir:-$top}
history=$work/history
for name in act note checker; do
	[ -x "$build/tests/conc/$name" ] || {
		echo "1..0 # SKIP tests/conc/$name is not built"
		exit 0
	}
done

act() {
	"$build/tests/conc/act" "$@"
}

checker() {
	"$build/tests/conc/checker" "$@"
}

# What steps find in their HOME.
scene_home() {
	cp "$build/tests/conc/note" "$1/note"
	cat >"$1/say" <<-'END'
		exec 9>>"$HOME/$TOWERIFY_HOST.lock"
		say() { "$HOME/note" "$@"; }
		mark=$HOME/$TOWERIFY_HOST.$TOWERIFY_CHANGE.$TOWERIFY_STEP
	END
}

# shellcheck disable=SC2016 # the host's variables
program_step() {	# program_step K LETTERS
	printf '  - name: step %s\n' "$1"
	case $2 in *[ch]*)
		printf '    check: |\n      . "$HOME/say"\n'
		printf '      say check begin\n'
		case $2 in
		*h*) printf '      found=0\n' ;;
		*) printf '      found=0; test -e "$mark" || found=1\n' ;;
		esac
		printf '      say check end\n      exit "$found"\n' ;;
	esac
	printf '    run: |\n      . "$HOME/say"\n      say run begin\n'
	case $2 in *l*) printf '      sleep 0.4\n' ;; esac
	printf '      say run mid\n'
	case $2 in
	*x*) printf '      : >"$mark"\n      say run fail\n      exit 1\n' ;;
	*r*) printf '      test -e "$KEEP/tried" || {\n'
		printf '          : >"$KEEP/tried"\n          say run fail\n'
		printf '          exit 1\n      }\n' ;;
	*t*) printf '      sleep 60\n' ;;
	esac
	printf '      : >"$mark"\n      say run end\n'
	case $2 in
	*n*) printf '    undo: nothing\n' ;;
	*) printf '    undo: |\n      . "$HOME/say"\n'
		printf '      say undo begin\n      rm -f "$mark"\n'
		case $2 in
		*s*) printf '      say undo fail\n      exit 1\n' ;;
		*) printf '      say undo end\n' ;;
		esac ;;
	esac
	case $2 in *r*) printf '    retries: 2\n    retry_delay: 1s\n' ;; esac
	case $2 in *t*) printf '    timeout: 1s\n' ;; esac
}

program() {
	program_name=$1
	echo "program $*" >>"$history/programs"
	shift
	program_k=0
	{
		echo 'steps:'
		for letters; do
			program_k=$((program_k + 1))
			program_step "$program_k" "$letters"
		done
	} | change "$program_name"
}

scene() {
	mkdir -p "$history/acts"
	# a minute of filing may be an hour of work
	SSHD_TTL=7200
	tower_sshd
	tower_hosts 3
	other_sshd b
	other_host b g1
	other_host b g2
	scene_home "$home"
	scene_home "$work/sshd-b/home"
	program good - c n
	program checked c h -
	program held h h
	program flaky - rc -
	program bad - c n x
	program slow l - l
	program late - t -
	program stuck - s x
}

tower_says() {
	towerify-queue list --all -J >"$work/list.json"
	jq -r '.changes[] | ["change", .id, .host, .status, .uid, .why // "-",
		.key // "-", .retry_of // 0] | map(tostring) | join(" ")' \
		"$work/list.json" >"$history/tower"
	jq -r '.changes[].id' "$work/list.json" | while read -r id; do
		towerify-queue show -J "$id"
	done | jq -r '.id as $id | .steps[] | ["step", $id, .k, .state,
		.undo // "-", .attempts // 0] | map(tostring) | join(" ")' \
		>>"$history/tower"
	towerify-audit list -J | jq -r '.records[] | select(.action |
		test("^change[.](file|start|accept|end|cancel|expire)$")) |
		"audit \(.action) \(.change)"' >>"$history/tower"
}

judged() {
	cat "$history"/acts/* >"$history/all"
	checker "$history/programs" "$history/all" "$history/tower" \
		"$work"/sshd*/home/*.log
}
