# tests/local.mk - what `make check' runs
#
# Check programs mirror lib/; everything else is a TAP script.  `make
# check-FOLDER' runs one folder, `make check TESTS=FILE' one test.
#
# Who runs what:
#
#   make check       all but real hosts, of what goes on for hours a sample: ten
#                    minutes on two cores.  Most of it waits, so run more at
#                    once than there are cores (-j 4; bootstrap does)
#   bootstrap check  that, then check-rig: real hosts, as root
#   .ci/run          bootstrap check as root; as an ordinary user check-user,
#                    what may end otherwise for him; under ASan and UBSan unit
#                    and command-line tests and SANITIZED_TESTS; distcheck with
#                    DIST_TESTS; the simulation
#   make check-long  whole what make check samples: hours
#
# make distcheck, whose point is that the tarball holds everything and builds
# from a read-only tree elsewhere, is configured with --disable-slow-tests:
# lint without shell.t and code.t, unit and command-line tests.

AM_DISTCHECK_CONFIGURE_FLAGS = --disable-slow-tests

UNIT_TESTS = \
	tests/unit/engine/test_runner \
	tests/unit/base/test_buf \
	tests/unit/base/test_clock \
	tests/unit/base/test_hash \
	tests/unit/base/test_io \
	tests/unit/base/test_json \
	tests/unit/base/test_name \
	tests/unit/base/test_seal \
	tests/unit/base/test_targets \
	tests/unit/base/test_text \
	tests/unit/base/test_version \
	tests/unit/cli/test_cli \
	tests/unit/cli/test_words \
	tests/unit/engine/test_automaton \
	tests/unit/engine/test_automaton_all \
	tests/unit/engine/test_journal \
	tests/unit/engine/test_journal_event \
	tests/unit/engine/test_journal_fuzz \
	tests/unit/engine/test_mask \
	tests/unit/engine/test_reach \
	tests/unit/engine/test_scenarios \
	tests/unit/engine/test_wire \
	tests/unit/fetch/test_cache \
	tests/unit/model/test_app \
	tests/unit/model/test_audit \
	tests/unit/model/test_change \
	tests/unit/model/test_grant \
	tests/unit/model/test_history \
	tests/unit/model/test_host \
	tests/unit/model/test_instance \
	tests/unit/model/test_metrics \
	tests/unit/model/test_org \
	tests/unit/model/test_plan \
	tests/unit/model/test_prune \
	tests/unit/model/test_queue \
	tests/unit/model/test_secret \
	tests/unit/model/test_successor \
	tests/unit/model/test_tenant \
	tests/unit/model/test_who \
	tests/unit/out/test_escape \
	tests/unit/out/test_exposition \
	tests/unit/out/test_offer \
	tests/unit/out/test_progress \
	tests/unit/out/test_table \
	tests/unit/out/test_ticks \
	tests/unit/out/test_timeline \
	tests/unit/spec/test_alloc \
	tests/unit/spec/test_app \
	tests/unit/spec/test_app_compile \
	tests/unit/spec/test_app_requires \
	tests/unit/spec/test_bundle \
	tests/unit/spec/test_catalog \
	tests/unit/spec/test_change \
	tests/unit/spec/test_config \
	tests/unit/spec/test_fetch_rules \
	tests/unit/spec/test_kind \
	tests/unit/spec/test_kind_alloc \
	tests/unit/spec/test_param \
	tests/unit/spec/test_program \
	tests/unit/spec/test_successor \
	tests/unit/spec/test_yaml \
	tests/unit/spec/test_yunohost \
	tests/unit/spec/test_yunohost_alloc \
	tests/unit/spec/test_yunohost_args \
	tests/unit/spec/test_yunohost_bad \
	tests/unit/spec/test_yunohost_compile \
	tests/unit/ssh/test_fake \
	tests/unit/ssh/test_hostkey \
	tests/unit/ssh/test_links \
	tests/unit/ssh/test_pubkey \
	tests/unit/ssh/test_sshargs \
	tests/unit/ssh/test_sshconfig \
	tests/unit/store/test_backup \
	tests/unit/store/test_store
check_PROGRAMS += $(UNIT_TESTS)

# The fake transport and what unit tests share: in no tool.
check_LIBRARIES += tests/libfake.a
tests_libfake_a_SOURCES = \
	lib/ssh/fake.c \
	lib/ssh/fake.h
LDADD = tests/libfake.a bin/libcli.a $(TW_LIBS) $(CHECK_LIBS)

# What tests/executor/app.t and tests/rig/catalog.t compile app files with.
check_PROGRAMS += tests/executor/compile

# Those that read TOML.
TOML_LDADD = tests/libfake.a bin/libcli.a $(TW_TOML_LIBS) $(CHECK_LIBS)
tests_unit_spec_test_yunohost_LDADD = $(TOML_LDADD)
tests_unit_spec_test_yunohost_alloc_LDADD = $(TOML_LDADD)
tests_unit_spec_test_yunohost_args_LDADD = $(TOML_LDADD)
tests_unit_spec_test_yunohost_bad_LDADD = $(TOML_LDADD)
tests_unit_spec_test_yunohost_compile_LDADD = $(TOML_LDADD)

# The seeded simulation: the engine with a network and hosts made up around it.
# What it defines itself (the part of libuv that the engine uses) is not taken
# from the shared library; calls of what is wrapped go to tests/sim.
check_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = \
	tests/sim/bugs.c \
	tests/sim/check.c \
	tests/sim/check_end.c \
	tests/sim/copy.c \
	tests/sim/core.c \
	tests/sim/exec.c \
	tests/sim/follow.c \
	tests/sim/host.c \
	tests/sim/net.c \
	tests/sim/people.c \
	tests/sim/request.c \
	tests/sim/sim.c \
	tests/sim/sim.h \
	tests/sim/tower.c \
	tests/sim/uv.c
tests_sim_sim_LDADD = $(TW_LIBS)
tests_sim_sim_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=gethostname \
	-Wl,--wrap=sqlite3_open_v2 \
	-Wl,--wrap=tw_audit_add \
	-Wl,--wrap=tw_change_end \
	-Wl,--wrap=tw_change_save_position \
	-Wl,--wrap=tw_clock_mono \
	-Wl,--wrap=tw_clock_now \
	-Wl,--wrap=tw_host_may_start \
	-Wl,--wrap=tw_queue_due \
	-Wl,--wrap=nanosleep \
	-Wl,--wrap=tw_runlock_yield \
	-Wl,--wrap=tw_random \
	-Wl,--wrap=tw_random_id \
	-Wl,--wrap=tw_stmt_get \
	-Wl,--wrap=tw_store_restore \
	-Wl,--wrap=tw_stmt_step \
	-Wl,--wrap=tw_store_begin \
	-Wl,--wrap=tw_store_busy_limit \
	-Wl,--wrap=tw_store_commit

SLOW_LINT_TESTS = \
	tests/lint/code.t \
	tests/lint/shell.t
QUICK_LINT_TESTS = \
	tests/lint/docs.t \
	tests/lint/layers.t \
	tests/lint/man.t \
	tests/lint/po.t \
	tests/lint/sources.t \
	tests/lint/tenants.t
LINT_TESTS = $(SLOW_LINT_TESTS) $(QUICK_LINT_TESTS)

LIB_TESTS = \
	tests/lib/yunohost.t

CLI_TESTS = \
	tests/cli/app.t \
	tests/cli/audit.t \
	tests/cli/backup.t \
	tests/cli/common.t \
	tests/cli/completion.t \
	tests/cli/completion_shells.t \
	tests/cli/config.t \
	tests/cli/cron.t \
	tests/cli/examples.t \
	tests/cli/fetch.t \
	tests/cli/french.t \
	tests/cli/gate.t \
	tests/cli/host.t \
	tests/cli/op.t \
	tests/cli/op_key.t \
	tests/cli/provision.t \
	tests/cli/queue_act.t \
	tests/cli/queue_add.t \
	tests/cli/queue_file.t \
	tests/cli/queue_look.t \
	tests/cli/rights.t \
	tests/cli/run.t \
	tests/cli/secret.t \
	tests/cli/stats.t

EXECUTOR_TESTS = \
	tests/executor/yunohost.t \
	tests/executor/kinds.t \
	tests/executor/accept.t \
	tests/executor/app.t \
	tests/executor/cgroup.t \
	tests/executor/confirm.t \
	tests/executor/crash.t \
	tests/executor/file.t \
	tests/executor/journal.t \
	tests/executor/output.t \
	tests/executor/plan.t \
	tests/executor/reboot.t \
	tests/executor/secret.t \
	tests/executor/spool.t \
	tests/executor/steps.t

E2E_TESTS = \
	tests/e2e/yunohost.t \
	tests/e2e/kill-runner.t \
	tests/e2e/app.t \
	tests/e2e/aside.t \
	tests/e2e/backup.t \
	tests/e2e/confirm.t \
	tests/e2e/cut.t \
	tests/e2e/gated.t \
	tests/e2e/hooks.t \
	tests/e2e/kill-executor.t \
	tests/e2e/look.t \
	tests/e2e/order.t \
	tests/e2e/output.t \
	tests/e2e/reach.t \
	tests/e2e/revoke.t \
	tests/e2e/secret.t \
	tests/e2e/spool.t \
	tests/e2e/start.t \
	tests/e2e/steps.t \
	tests/e2e/successor.t \
	tests/e2e/transport.t \
	tests/e2e/tree.t \
	tests/e2e/two-runners.t

SIM_TESTS = \
	tests/sim/sim.t

# The slowest first.
RIG_TESTS = \
	tests/rig/catalog.t \
	tests/rig/provision.t \
	tests/rig/story.t \
	tests/rig/package.t \
	tests/rig/descendants.t \
	tests/rig/confirm.t \
	tests/rig/faults.t \
	tests/rig/network.t \
	tests/rig/kinds.t \
	tests/rig/gate.t \
	tests/rig/power.t \
	tests/rig/cuts.t \
	tests/rig/reboot.t \
	tests/rig/systemd.t \
	tests/rig/apt.t \
	tests/rig/revoke.t \
	tests/rig/session.t \
	tests/rig/rig.t

# Faults at every point (tests/fault/README): what makes them, and drivers.
FAULT_TESTS = \
	tests/fault/fail.t \
	tests/fault/kill.t \
	tests/fault/power.t \
	tests/fault/state.t
FAULT_COMMON = \
	tests/fault/digest.c \
	tests/fault/replay.c \
	tests/fault/replay.h \
	tests/fault/shim.h \
	tests/fault/stage.c \
	tests/fault/stage.h \
	tests/fault/table.c \
	tests/fault/table.h
check_PROGRAMS += \
	tests/fault/power \
	tests/fault/sweep
tests_fault_power_SOURCES = tests/fault/power.c $(FAULT_COMMON)
tests_fault_power_LDADD = lib/libtowerify.a $(TW_LIBS)
tests_fault_sweep_SOURCES = tests/fault/sweep.c $(FAULT_COMMON)
tests_fault_sweep_LDADD = lib/libtowerify.a $(TW_LIBS)
# Preloaded, so not with the flags of a program.
check_DATA += tests/fault/shim.so
tests/fault/shim.so: tests/fault/shim.c tests/fault/shim.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -D_GNU_SOURCE -std=gnu11 -Wall \
		-Wextra -g -O1 -fPIC -fvisibility=hidden -shared \
		$(SQLITE_CFLAGS) -o $@ $(srcdir)/tests/fault/shim.c -ldl
CLEANFILES += tests/fault/shim.so
check_DATA += tests/rig/clock.so
tests/rig/clock.so: tests/rig/clock.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -D_GNU_SOURCE -std=gnu11 -Wall \
		-Wextra -g -O1 -fPIC -fvisibility=hidden -shared -o $@ \
		$(srcdir)/tests/rig/clock.c
CLEANFILES += tests/rig/clock.so
check_DATA += tests/e2e/noloop.so
tests/e2e/noloop.so: tests/e2e/noloop.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -Wall -Wextra -g -O1 \
		-fPIC -fvisibility=hidden -shared -o $@ \
		$(srcdir)/tests/e2e/noloop.c
CLEANFILES += tests/e2e/noloop.so

# Everybody at once (tests/conc/README).
CONC_TESTS = \
	tests/conc/conc.t \
	tests/conc/planted.t
check_PROGRAMS += \
	tests/conc/act \
	tests/conc/checker \
	tests/conc/note
tests_conc_act_LDADD =
tests_conc_checker_SOURCES = \
	tests/conc/checker.c \
	tests/conc/ends.c \
	tests/conc/history.c \
	tests/conc/history.h \
	tests/conc/hosts.c \
	tests/conc/judge.h \
	tests/conc/people.c
tests_conc_checker_LDADD =
tests_conc_note_LDADD =

# The wire between tower and host (tests/wire/README).
WIRE_TESTS = \
	tests/wire/cut.t \
	tests/wire/stop.t \
	tests/wire/tcp.t
check_PROGRAMS += \
	tests/wire/cut \
	tests/wire/proxy
tests_wire_cut_SOURCES = \
	tests/fault/digest.c \
	tests/fault/shim.h \
	tests/fault/stage.c \
	tests/fault/stage.h \
	tests/fault/table.c \
	tests/fault/table.h \
	tests/wire/cut.c
tests_wire_cut_LDADD = tests/libfake.a lib/libtowerify.a $(TW_LIBS)
tests_wire_proxy_LDADD =

# Bytes from outside (tests/fuzz/README).  Without libFuzzer a target gets a
# main that replays the corpora.
FUZZ_TARGETS = \
	tests/fuzz/app \
	tests/fuzz/args \
	tests/fuzz/catalog \
	tests/fuzz/change \
	tests/fuzz/config \
	tests/fuzz/journal \
	tests/fuzz/kind \
	tests/fuzz/manifest \
	tests/fuzz/mask \
	tests/fuzz/sshconfig \
	tests/fuzz/targets \
	tests/fuzz/words \
	tests/fuzz/yaml
FUZZ_TESTS = tests/fuzz/replay.t
FUZZ_COMMON = tests/fuzz/fuzz.c tests/fuzz/fuzz.h
FUZZ_SPEC = tests/fuzz/spec.c tests/fuzz/spec.h
if FUZZ
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else !FUZZ
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif !FUZZ
check_PROGRAMS += $(FUZZ_TARGETS)
FUZZ_LIBS = bin/libcli.a $(TW_LIBS)
FUZZ_TOML_LIBS = $(TW_TOML_LIBS)
# One `sh -n' for each text would leave time for nothing else: what reads shell
# text asks fuzz/spec.c in sh's place.
FUZZ_LINK_SPEC = $(FUZZ_LINK) -Wl,--wrap=tw_shell_check
tests_fuzz_app_SOURCES = tests/fuzz/app.c $(FUZZ_COMMON) $(FUZZ_SPEC) $(FUZZ_MAIN)
tests_fuzz_app_LDADD = $(FUZZ_LIBS)
tests_fuzz_app_LDFLAGS = $(FUZZ_LINK_SPEC)
tests_fuzz_args_SOURCES = tests/fuzz/args.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_args_LDADD = $(FUZZ_TOML_LIBS)
tests_fuzz_args_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_catalog_SOURCES = tests/fuzz/catalog.c $(FUZZ_COMMON) $(FUZZ_SPEC) $(FUZZ_MAIN)
tests_fuzz_catalog_LDADD = $(FUZZ_TOML_LIBS)
tests_fuzz_catalog_LDFLAGS = $(FUZZ_LINK_SPEC)
tests_fuzz_change_SOURCES = tests/fuzz/change.c $(FUZZ_COMMON) $(FUZZ_SPEC) $(FUZZ_MAIN)
tests_fuzz_change_LDADD = $(FUZZ_LIBS)
tests_fuzz_change_LDFLAGS = $(FUZZ_LINK_SPEC)
tests_fuzz_config_SOURCES = tests/fuzz/config.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_config_LDADD = $(FUZZ_LIBS)
tests_fuzz_config_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_journal_SOURCES = tests/fuzz/journal.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_journal_LDADD = $(FUZZ_LIBS)
tests_fuzz_journal_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_kind_SOURCES = tests/fuzz/kind.c $(FUZZ_COMMON) $(FUZZ_SPEC) $(FUZZ_MAIN)
tests_fuzz_kind_LDADD = $(FUZZ_LIBS)
tests_fuzz_kind_LDFLAGS = $(FUZZ_LINK_SPEC) -Wl,--wrap=tw_io_read_file
tests_fuzz_manifest_SOURCES = tests/fuzz/manifest.c $(FUZZ_COMMON) $(FUZZ_SPEC) $(FUZZ_MAIN)
tests_fuzz_manifest_LDADD = $(FUZZ_TOML_LIBS)
tests_fuzz_manifest_LDFLAGS = $(FUZZ_LINK_SPEC)
tests_fuzz_mask_SOURCES = tests/fuzz/mask.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_mask_LDADD = $(FUZZ_LIBS)
tests_fuzz_mask_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_sshconfig_SOURCES = tests/fuzz/sshconfig.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_sshconfig_LDADD = $(FUZZ_LIBS)
tests_fuzz_sshconfig_LDFLAGS = $(FUZZ_LINK) \
	-Wl,--wrap=tw_identity_inspect \
	-Wl,--wrap=tw_identity_has_certificate
tests_fuzz_targets_SOURCES = tests/fuzz/targets.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_targets_LDADD = $(FUZZ_LIBS)
tests_fuzz_targets_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_words_SOURCES = tests/fuzz/words.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_words_LDADD = $(FUZZ_LIBS)
tests_fuzz_words_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_yaml_SOURCES = tests/fuzz/yaml.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_yaml_LDADD = $(FUZZ_LIBS)
tests_fuzz_yaml_LDFLAGS = $(FUZZ_LINK)

# What .ci/run runs under the sanitizers besides the quick tests.
SANITIZED_TESTS = \
	tests/fuzz/replay.t \
	tests/e2e/order.t

# What it runs as an ordinary user: what looks at who one is, at owners and
# modes, what signals, and the executor, which has no root there.  All else finds
# in one user's hands what it finds in another's.
USER_TESTS = \
	tests/executor/kinds.t \
	tests/e2e/hooks.t \
	tests/e2e/transport.t \
	tests/fault/state.t \
	tests/e2e/backup.t \
	tests/e2e/gated.t \
	tests/e2e/secret.t \
	tests/e2e/spool.t \
	tests/e2e/start.t \
	tests/e2e/tree.t \
	tests/executor/accept.t \
	tests/executor/cgroup.t \
	tests/executor/file.t \
	tests/executor/reboot.t \
	tests/executor/secret.t \
	tests/executor/spool.t \
	tests/executor/steps.t \
	tests/executor/yunohost.t \
	tests/unit/base/test_io \
	tests/unit/fetch/test_cache \
	tests/unit/model/test_org \
	tests/unit/model/test_secret \
	tests/unit/model/test_who \
	tests/unit/ssh/test_hostkey \
	tests/unit/ssh/test_pubkey \
	tests/unit/ssh/test_sshconfig \
	tests/unit/store/test_backup \
	tests/unit/store/test_store \
	$(LIB_TESTS) $(CLI_TESTS)

# What shows that a tarball holds all that tests read.
DIST_TESTS = $(QUICK_LINT_TESTS) $(LIB_TESTS) $(FUZZ_TESTS) \
	tests/cli/completion.t \
	tests/cli/examples.t

# The slowest first, in the lists too: at the end nobody waits for one alone.
if SLOW_TESTS
TESTS += $(EXECUTOR_TESTS) $(FAULT_TESTS)
endif SLOW_TESTS
TESTS += $(UNIT_TESTS)
if SLOW_TESTS
TESTS += $(CONC_TESTS) $(SLOW_LINT_TESTS) $(WIRE_TESTS) $(SIM_TESTS) $(E2E_TESTS)
endif SLOW_TESTS
TESTS += $(QUICK_LINT_TESTS) $(LIB_TESTS) $(CLI_TESTS) $(FUZZ_TESTS)

EXTRA_DIST += $(LINT_TESTS) $(LIB_TESTS) $(CLI_TESTS) $(EXECUTOR_TESTS) \
	$(E2E_TESTS) $(RIG_TESTS) $(SIM_TESTS) $(FAULT_TESTS) $(FUZZ_TESTS) \
	$(CONC_TESTS) $(WIRE_TESTS) $(LONG_DEB_TESTS)
EXTRA_DIST += \
	tests/RESULTS \
	tests/cli/rights.golden \
	tests/bench/README \
	tests/bench/bench.sh \
	tests/bench/delay.sh \
	tests/bench/hosts.sh \
	tests/bench/lib.sh \
	tests/bench/part-big.sh \
	tests/bench/part-catalogue.sh \
	tests/bench/part-executor.sh \
	tests/bench/part-delay.sh \
	tests/bench/part-fleet.sh \
	tests/bench/part-plot.sh \
	tests/bench/part-rights.sh \
	tests/bench/part-scale.sh \
	tests/bench/part-store.sh \
	tests/bench/part-tools.sh \
	tests/bench/peer_fabric.py \
	tests/bench/peers.sh \
	tests/bench/plot.awk \
	tests/conc/README \
	tests/conc/scene.sh \
	tests/coverage/README \
	tests/coverage/coverage.sh \
	tests/coverage/gaps \
	tests/data/yunohost/apps.json \
	tests/data/yunohost/apps.toml \
	tests/data/yunohost/manifests/blog.toml \
	tests/e2e/lib.sh \
	tests/e2e/noloop.c \
	tests/executor/lib.sh \
	tests/fault/README \
	tests/fault/scene.sh \
	tests/fault/shim.c \
	tests/fuzz/README \
	tests/fuzz/corpus \
	tests/fuzz/fuzz.sh \
	tests/fuzz/replay.c \
	tests/fuzz/words.dict \
	tests/lib/httpd \
	tests/lib/sshd.sh \
	tests/lib/tap.sh \
	tests/lib/tower.sh \
	tests/lib/yunohost \
	tests/lib/yunohost.sh \
	tests/lint/accepted \
	tests/lint/analyse.h \
	tests/lint/analyse.sh \
	tests/lint/lint.sh \
	tests/lint/po.accepted \
	tests/long.sh \
	tests/rig/README \
	tests/rig/base.sh \
	tests/rig/clock.c \
	tests/rig/deb.sh \
	tests/rig/keeper.sh \
	tests/rig/lib.sh \
	tests/rig/rig.sh \
	tests/sim/README \
	tests/unit/engine/record.h \
	tests/unit/engine/scenario.h \
	tests/unit/model/fixture.h \
	tests/unit/spec/app_util.h \
	tests/unit/spec/alloc_util.h \
	tests/unit/spec/spec_util.h \
	tests/unit/spec/yunohost_util.h \
	tests/unit/ssh/probe.h \
	tests/wire/README \
	tests/wire/lib.sh

TEST_EXTENSIONS = .t
# A test that hangs is a test that fails.  What a background job ignores, such
# as Ctrl-C, its tests must not.
TW_LIMIT = env --default-signal timeout --foreground -k 30 1200
LOG_COMPILER = $(TW_LIMIT)
# tap-driver.sh leaves descriptor 3 open.
T_LOG_COMPILER = sh -c 'exec 3>&-; exec "$$@"' - $(TW_LIMIT) sh
T_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh

# Where a test finds the tools and the tree; nothing of the caller's own set-up.
# Check's limit of 4 s a test is no measure on a loaded machine.
AM_TESTS_ENVIRONMENT = \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	PATH='$(abs_top_builddir)/bin':"$$PATH"; export PATH; \
	CK_TIMEOUT_MULTIPLIER=3; export CK_TIMEOUT_MULTIPLIER; \
	CK_DEFAULT_TIMEOUT=10; export CK_DEFAULT_TIMEOUT; \
	LC_ALL=C.UTF-8; export LC_ALL; \
	TOWERIFY_KINDS='$(abs_top_srcdir)/share/kinds'; export TOWERIFY_KINDS; \
	TOWERIFY_CONFIG=; export TOWERIFY_CONFIG; \
	unset TOWERIFY_STATE TOWERIFY_ORG TOWERIFY_OPERATOR NO_COLOR \
	SUDO_UID SUDO_GID SUDO_USER SUDO_COMMAND SSH_ORIGINAL_COMMAND;

check-unit:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(UNIT_TESTS)"

check-lint:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(LINT_TESTS)"

check-lib:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(LIB_TESTS)"

check-cli:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(CLI_TESTS)"

check-user:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(USER_TESTS)"

check-executor:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(EXECUTOR_TESTS)"

check-e2e:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(E2E_TESTS)"

check-sim:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(SIM_TESTS)"

# What a run of everything plays, from another seed on each time.
check-long-sim:
	+$(AM_V_at)TOWERIFY_FAULT_LONG=yes TW_SIM_SEEDS=10000 \
		$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(SIM_TESTS)" \
		TW_LIMIT='env --default-signal'

check-fault:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(FAULT_TESTS)"

# Whole what `make check' samples: hours.
LONG_FAULT_TESTS = $(FAULT_TESTS) \
	tests/e2e/aside.t \
	tests/e2e/kill-runner.t
check-long-fault:
	+$(AM_V_at)TOWERIFY_FAULT_LONG=yes $(MAKE) $(AM_MAKEFLAGS) check \
		TESTS="$(LONG_FAULT_TESTS)" TW_LIMIT='env --default-signal'

# The rest: everything whole.  Each part alone: LONG='sim wire'.  What it found
# goes to tests/RESULTS, a row for each part.
check-long: all
	+$(AM_V_at)MAKE='$(MAKE)' MAKEFLAGS='$(AM_MAKEFLAGS)' \
		sh $(srcdir)/tests/long.sh $(srcdir)/tests/RESULTS $(LONG)

check-conc:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(CONC_TESTS)"

# For a minute.
check-long-conc:
	+$(AM_V_at)TOWERIFY_CONC_LONG=yes $(MAKE) $(AM_MAKEFLAGS) check \
		TESTS="$(CONC_TESTS)" TW_LIMIT='env --default-signal'

check-wire:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(WIRE_TESTS)"

# The record cut at every byte, real hosts at every sync.
LONG_HOST_TESTS = \
	tests/executor/journal.t \
	tests/rig/cuts.t
check-long-host:
	+$(AM_V_at)TOWERIFY_FAULT_LONG=yes $(MAKE) $(AM_MAKEFLAGS) check \
		TESTS="$(LONG_HOST_TESTS)" TW_LIMIT='env --default-signal'

# A cut at every byte.
check-long-wire:
	+$(AM_V_at)TOWERIFY_WIRE_LONG=yes $(MAKE) $(AM_MAKEFLAGS) check \
		TESTS="$(WIRE_TESTS)" TW_LIMIT='env --default-signal'

# Debian's packages, built twice.
LONG_DEB_TESTS = \
	tests/deb/twice.t
check-long-deb:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(LONG_DEB_TESTS)"

check-fuzz:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(FUZZ_TESTS)"

# Each target for so long, with libFuzzer; what is found goes to corpus/.
FUZZ_SECONDS = 600
fuzz check-long-fuzz: $(FUZZ_TARGETS)
if FUZZ
	+$(AM_V_at)TOWERIFY_KINDS='$(abs_top_srcdir)/share/kinds' \
		abs_top_srcdir='$(abs_top_srcdir)' FUZZ_SECONDS='$(FUZZ_SECONDS)' \
		sh $(srcdir)/tests/fuzz/fuzz.sh $(FUZZ_TARGETS)
else !FUZZ
	@echo "fuzz: wants configure --enable-fuzz CC=clang CXX=clang++" >&2; \
		exit 1
endif !FUZZ

# What two analysers find, but for what tests/lint/accepted has a reason for.
analyse check-long-analyse:
	$(AM_V_at)sh $(srcdir)/tests/lint/analyse.sh $(srcdir)

# Unit tests under memcheck, themselves and not what they start.  Without those
# that play all there is of something, under it they would take hours, and
# those whose malloc fails when they say, for there it is valgrind's.
VALGRIND = env CK_TIMEOUT_MULTIPLIER=100 valgrind --quiet \
	--error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite --num-callers=24
NO_VALGRIND_TESTS = \
	tests/unit/base/test_json \
	tests/unit/engine/test_automaton_all \
	tests/unit/engine/test_journal_fuzz \
	tests/unit/engine/test_scenarios \
	tests/unit/spec/test_alloc \
	tests/unit/spec/test_kind_alloc \
	tests/unit/spec/test_yunohost_alloc \
	tests/unit/ssh/test_hostkey
check-valgrind check-long-valgrind:
	+$(AM_V_at)tests='$(UNIT_TESTS)'; for no in $(NO_VALGRIND_TESTS); do \
		tests=`echo " $$tests " | sed "s| $$no | |"`; done; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$$tests" \
		LOG_COMPILER='$(TW_LIMIT) $(VALGRIND)'

# Which lines of lib the tests run (tests/coverage/README): of these tests.
COVERAGE_TESTS = $(UNIT_TESTS) $(LIB_TESTS) $(CLI_TESTS) $(E2E_TESTS) \
	$(FUZZ_TESTS)
coverage check-long-coverage:
if COVERAGE
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) all
	$(AM_V_at)find bin lib tests -name '*.gcda' -exec rm -f {} +
	+$(AM_V_at)bad=0; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(COVERAGE_TESTS)" \
		LOG_COMPILER='$(TW_LIMIT) env CK_TIMEOUT_MULTIPLIER=30' || \
		bad=1; \
	abs_top_srcdir='$(abs_top_srcdir)' \
	abs_top_builddir='$(abs_top_builddir)' \
		sh $(srcdir)/tests/coverage/coverage.sh || bad=1; exit $$bad
else !COVERAGE
	+$(AM_V_at)$(MKDIR_P) coverage-build && cd coverage-build && \
		'$(abs_top_srcdir)'/configure -q --enable-coverage && \
		$(MAKE) $(AM_MAKEFLAGS) coverage
endif !COVERAGE

# Real hosts, as root: no part of `make check', which is to stay quick.
check-rig:
	+$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(RIG_TESTS)"

.PHONY: check-unit check-lint check-lib check-cli check-executor check-e2e \
	check-rig check-user check-sim check-long-sim check-fault check-long-fault \
	check-conc check-long-conc check-wire check-long-wire check-long-host check-long-deb \
	check-fuzz check-long check-long-fuzz fuzz analyse check-long-analyse check-valgrind \
	check-long-valgrind coverage check-long-coverage

# The figures of the project, measured; never a test.
EXTRA_PROGRAMS = \
	tests/bench/history \
	tests/bench/hostcost \
	tests/bench/limit \
	tests/bench/rights \
	tests/bench/scale \
	tests/bench/stopwatch \
	tests/bench/wire
CLEANFILES += $(EXTRA_PROGRAMS)
tests_bench_hostcost_LDADD =
tests_bench_limit_LDADD = $(SSH2_LIBS)
tests_bench_stopwatch_LDADD =
tests_bench_wire_LDADD =

bench: all $(EXTRA_PROGRAMS)
	@BENCH_TOOLS="$(abs_top_builddir)/tests/bench" \
		BENCH_OUT="$(abs_top_builddir)/tests/bench/results" \
		PATH="$(abs_top_builddir)/bin:$$PATH" \
		sh $(srcdir)/tests/bench/bench.sh $(BENCH)

clean-local: clean-bench
clean-bench:
	rm -rf "$(abs_top_builddir)/tests/bench/results"

.PHONY: bench clean-bench
