# lib/local.mk - libtowerify: everything but the command line
#
# A static archive that tools and tests are linked with; nothing of it is
# installed.

noinst_LIBRARIES += lib/libtowerify.a
lib_libtowerify_a_SOURCES = \
	lib/base/buf.c \
	lib/base/buf.h \
	lib/base/clock.c \
	lib/base/clock.h \
	lib/base/err.c \
	lib/base/err.h \
	lib/base/hash.c \
	lib/base/hash.h \
	lib/base/io.c \
	lib/base/io.h \
	lib/base/json.c \
	lib/base/json.h \
	lib/base/name.c \
	lib/base/name.h \
	lib/base/seal.c \
	lib/base/seal.h \
	lib/base/targets.c \
	lib/base/targets.h \
	lib/base/targets_eval.c \
	lib/base/targets_has.c \
	lib/base/targets_private.h \
	lib/base/text.c \
	lib/base/text.h \
	lib/base/version.c \
	lib/base/version.h \
	lib/engine/automaton.c \
	lib/engine/automaton.h \
	lib/engine/contact.c \
	lib/engine/contact.h \
	lib/engine/event_text.c \
	lib/engine/event_text.h \
	lib/engine/hooks.c \
	lib/engine/hooks.h \
	lib/engine/journal.c \
	lib/engine/journal.h \
	lib/engine/mask.c \
	lib/engine/mask.h \
	lib/engine/mask_forms.c \
	lib/engine/mask_private.h \
	lib/engine/reach.c \
	lib/engine/reach.h \
	lib/engine/record.c \
	lib/engine/runner.c \
	lib/engine/runner.h \
	lib/engine/runner_private.h \
	lib/engine/survey.c \
	lib/engine/survey.h \
	lib/engine/visit.c \
	lib/engine/visit_ask.c \
	lib/engine/visit_login.c \
	lib/engine/visit_secret.c \
	lib/engine/visit_stream.c \
	lib/engine/wire.c \
	lib/engine/wire.h \
	lib/fetch/cache.c \
	lib/fetch/fetch.c \
	lib/fetch/fetch.h \
	lib/model/app.c \
	lib/model/app.h \
	lib/model/app_add.c \
	lib/model/app_private.h \
	lib/model/audit.c \
	lib/model/audit.h \
	lib/model/audit_private.h \
	lib/model/audit_verify.c \
	lib/model/backup.c \
	lib/model/backup.h \
	lib/model/change.c \
	lib/model/change.h \
	lib/model/change_act.c \
	lib/model/change_file.c \
	lib/model/change_plan.c \
	lib/model/change_private.h \
	lib/model/content.c \
	lib/model/event.c \
	lib/model/event.h \
	lib/model/grant.c \
	lib/model/grant.h \
	lib/model/grant_check.c \
	lib/model/grant_explain.c \
	lib/model/grant_private.h \
	lib/model/grant_scope.c \
	lib/model/host.c \
	lib/model/host.h \
	lib/model/host_act.c \
	lib/model/host_contact.c \
	lib/model/host_leave.c \
	lib/model/host_private.h \
	lib/model/host_right.c \
	lib/model/history.c \
	lib/model/history.h \
	lib/model/instance.c \
	lib/model/instance.h \
	lib/model/instance_move.c \
	lib/model/instance_private.h \
	lib/model/metrics.c \
	lib/model/metrics.h \
	lib/model/model.c \
	lib/model/model_private.h \
	lib/model/operator.c \
	lib/model/operator.h \
	lib/model/org.c \
	lib/model/org.h \
	lib/model/org_private.h \
	lib/model/output.c \
	lib/model/prune.c \
	lib/model/prune.h \
	lib/model/queue.c \
	lib/model/queue_claim.c \
	lib/model/queue_running.c \
	lib/model/retain.c \
	lib/model/secret.c \
	lib/model/secret.h \
	lib/model/stats.c \
	lib/model/step.c \
	lib/model/successor.c \
	lib/model/successor.h \
	lib/model/tenant.c \
	lib/model/tenant.h \
	lib/model/who.c \
	lib/model/who.h \
	lib/out/close.c \
	lib/out/close.h \
	lib/out/escape.c \
	lib/out/escape.h \
	lib/out/exposition.c \
	lib/out/exposition.h \
	lib/out/offer.c \
	lib/out/offer.h \
	lib/out/progress.c \
	lib/out/progress.h \
	lib/out/table.c \
	lib/out/table.h \
	lib/out/table_print.c \
	lib/out/table_private.h \
	lib/out/ticks.c \
	lib/out/ticks.h \
	lib/out/timeline.c \
	lib/out/timeline.h \
	lib/spec/app_compile.c \
	lib/spec/app_read.c \
	lib/spec/app_read.h \
	lib/spec/app_spec.c \
	lib/spec/app_spec.h \
	lib/spec/arena.c \
	lib/spec/arena.h \
	lib/spec/bundle.c \
	lib/spec/bundle.h \
	lib/spec/change_read.h \
	lib/spec/change_spec.c \
	lib/spec/change_spec.h \
	lib/spec/config.c \
	lib/spec/config.h \
	lib/spec/describe.c \
	lib/spec/diag.c \
	lib/spec/diag.h \
	lib/spec/fetch_rules.c \
	lib/spec/fetch_rules.h \
	lib/spec/file_read.c \
	lib/spec/fill.c \
	lib/spec/fill.h \
	lib/spec/kind.c \
	lib/spec/kind.h \
	lib/spec/json.c \
	lib/spec/json.h \
	lib/spec/node.c \
	lib/spec/node.h \
	lib/spec/param.c \
	lib/spec/param.h \
	lib/spec/param_read.c \
	lib/spec/pattern.c \
	lib/spec/pattern.h \
	lib/spec/program.c \
	lib/spec/program.h \
	lib/spec/requires.c \
	lib/spec/requires.h \
	lib/spec/shell.c \
	lib/spec/shell.h \
	lib/spec/source.c \
	lib/spec/source.h \
	lib/spec/step_read.c \
	lib/spec/successor_read.c \
	lib/spec/use_fetch.c \
	lib/spec/use_fill.c \
	lib/spec/use_read.c \
	lib/spec/toml.h \
	lib/spec/tree.c \
	lib/spec/tree.h \
	lib/spec/utf8.c \
	lib/spec/utf8.h \
	lib/spec/yaml.c \
	lib/spec/yaml.h \
	lib/spec/yaml_words.c \
	lib/spec/yaml_words.h \
	lib/spec/yunohost.c \
	lib/spec/yunohost.h \
	lib/spec/yunohost_args.c \
	lib/spec/yunohost_check.c \
	lib/spec/yunohost_compile.c \
	lib/spec/yunohost_compile.h \
	lib/spec/yunohost_json.c \
	lib/spec/yunohost_manifest.c \
	lib/spec/yunohost_private.h \
	lib/spec/yunohost_question.c \
	lib/spec/yunohost_stored.c \
	lib/spec/yunohost_toml.c \
	lib/ssh/agent.c \
	lib/ssh/agent.h \
	lib/ssh/blob.c \
	lib/ssh/blob.h \
	lib/ssh/child.c \
	lib/ssh/dial.c \
	lib/ssh/dial.h \
	lib/ssh/hostkey.c \
	lib/ssh/hostkey.h \
	lib/ssh/identity.c \
	lib/ssh/identity.h \
	lib/ssh/libssh2.c \
	lib/ssh/libssh2_link.h \
	lib/ssh/libssh2_login.c \
	lib/ssh/libssh2_session.c \
	lib/ssh/libssh2_stream.c \
	lib/ssh/pipes.c \
	lib/ssh/pipes.h \
	lib/ssh/pubkey.c \
	lib/ssh/pubkey.h \
	lib/ssh/sshargs.c \
	lib/ssh/sshargs.h \
	lib/ssh/sshconfig.c \
	lib/ssh/sshconfig.h \
	lib/ssh/text.c \
	lib/ssh/text.h \
	lib/ssh/transport.c \
	lib/ssh/transport.h \
	lib/store/backup.c \
	lib/store/backup.h \
	lib/store/backup_private.h \
	lib/store/backup_sum.c \
	lib/store/damage.c \
	lib/store/dir.c \
	lib/store/migrate.c \
	lib/store/restore.c \
	lib/store/runlock.c \
	lib/store/state.c \
	lib/store/stmt.c \
	lib/store/store.c \
	lib/store/store.h \
	lib/store/store_private.h

# Text that the tools carry with them, as C made by share/embed.sh.
nodist_lib_libtowerify_a_SOURCES = \
	lib/engine/executor_data.c \
	lib/store/schema_data.c
CLEANFILES += $(nodist_lib_libtowerify_a_SOURCES)

embed = $(srcdir)/share/embed.sh

lib/engine/executor_data.c: share/embed.sh share/host/executor.sh
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(SHELL) $(embed) --strip tw_executor_text \
		$(srcdir)/share/host/executor.sh > $@.tmp && mv $@.tmp $@

lib/store/schema_data.c: share/embed.sh share/schema/0001.sql
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(SHELL) $(embed) tw_schema_0001 \
		$(srcdir)/share/schema/0001.sql > $@.tmp && mv $@.tmp $@

# What the library stands on.
TW_LIBS = lib/libtowerify.a \
	$(SSH2_LIBS) $(SQLITE_LIBS) $(YAML_LIBS) $(UV_LIBS) \
	$(JANSSON_LIBS) $(SMARTCOLS_LIBS) $(CRYPTO_LIBS) $(SODIUM_LIBS)

# The reader of TOML is C++, and a C++ library takes its time to load: only what
# reads catalogues is linked with it, by these in place of TW_LIBS.
noinst_LIBRARIES += lib/libtoml.a
lib_libtoml_a_SOURCES = lib/spec/toml.cc
lib_libtoml_a_CPPFLAGS = $(AM_CPPFLAGS) $(TOML_INCLUDES)
TW_TOML_LIBS = lib/libtowerify.a lib/libtoml.a $(TW_LIBS) $(CXX_LIBS)
