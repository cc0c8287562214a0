# bin/local.mk - a main per tool, and what they share as an archive

TOOLS = \
	bin/towerify-app \
	bin/towerify-host \
	bin/towerify-queue \
	bin/towerify-run \
	bin/towerify-audit \
	bin/towerify-op
bin_PROGRAMS += $(TOOLS) bin/towerify-shell

noinst_LIBRARIES += bin/libcli.a
bin_libcli_a_SOURCES = \
	bin/app.h \
	bin/app_add.c \
	bin/app_file.c \
	bin/app_import.c \
	bin/app_look.c \
	bin/app_params.c \
	bin/app_yunohost.c \
	bin/audit.h \
	bin/audit_metrics.c \
	bin/audit_stats.c \
	bin/audit_timeline.c \
	bin/beside.c \
	bin/beside.h \
	bin/cli.c \
	bin/cli.h \
	bin/cli_help.c \
	bin/cli_parse.c \
	bin/cli_private.h \
	bin/cli_talk.c \
	bin/config.c \
	bin/config.h \
	bin/fetch.c \
	bin/fetch.h \
	bin/cron.c \
	bin/cron.h \
	bin/file.c \
	bin/file.h \
	bin/filing.c \
	bin/filing.h \
	bin/gate.c \
	bin/gate.h \
	bin/given.c \
	bin/given.h \
	bin/host.h \
	bin/host_add.c \
	bin/host_keys.c \
	bin/host_provision.c \
	bin/host_revoke.c \
	bin/kinds.c \
	bin/kinds.h \
	bin/op.h \
	bin/op_backup.c \
	bin/op_config.c \
	bin/op_grant.c \
	bin/op_key.c \
	bin/op_org.c \
	bin/pass.c \
	bin/queue.h \
	bin/queue_file.c \
	bin/queue_look.c \
	bin/queue_plan.c \
	bin/start.c \
	bin/start.h \
	bin/tower.c \
	bin/tower.h \
	bin/why.c \
	bin/words.c \
	bin/words.h

bin_towerify_app_SOURCES = bin/towerify-app.c
bin_towerify_app_LDADD = bin/libcli.a $(TW_TOML_LIBS)
bin_towerify_host_SOURCES = bin/towerify-host.c
bin_towerify_host_LDADD = bin/libcli.a $(TW_LIBS)
bin_towerify_queue_SOURCES = bin/towerify-queue.c
bin_towerify_queue_LDADD = bin/libcli.a $(TW_LIBS)
bin_towerify_run_SOURCES = bin/towerify-run.c
bin_towerify_run_LDADD = bin/libcli.a $(TW_LIBS)
bin_towerify_audit_SOURCES = bin/towerify-audit.c
bin_towerify_audit_LDADD = bin/libcli.a $(TW_LIBS)
bin_towerify_op_SOURCES = bin/towerify-op.c
bin_towerify_op_LDADD = bin/libcli.a $(TW_LIBS)
bin_towerify_shell_SOURCES = bin/towerify-shell.c
bin_towerify_shell_LDADD = bin/libcli.a $(TW_LIBS)

# What other tools run, and nobody by hand; libcurl costs each start 2 ms.
pkglibexec_PROGRAMS += bin/towerify-fetch bin/towerify-webhook
bin_towerify_fetch_SOURCES = bin/towerify-fetch.c
bin_towerify_fetch_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
bin_towerify_webhook_SOURCES = bin/towerify-webhook.c
bin_towerify_webhook_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
bin_towerify_webhook_LDADD = lib/libtowerify.a $(CRYPTO_LIBS) $(CURL_LIBS)
bin_towerify_fetch_LDADD = lib/libtowerify.a $(CRYPTO_LIBS) $(CURL_LIBS)
