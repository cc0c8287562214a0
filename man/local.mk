# man/local.mk - manual pages, mdoc; tests/lint/man.t reads them

dist_man_MANS += \
	man/towerify-app.5 \
	man/towerify-app.1 \
	man/towerify-audit.1 \
	man/towerify-change.5 \
	man/towerify-executor.7 \
	man/towerify-fetch.8 \
	man/towerify-gate.8 \
	man/towerify-hooks.7 \
	man/towerify-host.1 \
	man/towerify-kinds.7 \
	man/towerify-op.1 \
	man/towerify-queue.1 \
	man/towerify-run.1 \
	man/towerify-shell.1 \
	man/towerify-webhook.8 \
	man/towerify-yunohost.7 \
	man/towerify.yaml.5 \
	man/towerify.7

frenchman7dir = $(mandir)/fr/man7
dist_frenchman7_DATA = man/fr/towerify.7
