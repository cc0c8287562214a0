# share/local.mk - what the tools carry or read, and examples

# Embedded in the tools; installed to be read.
hostdir = $(pkgdatadir)/host
dist_host_DATA = \
	share/host/executor.sh

# Read by the tools, sent to hosts.
kindsdir = $(pkgdatadir)/kinds
dist_kinds_DATA = \
	share/kinds/directory \
	share/kinds/fetch \
	share/kinds/line \
	share/kinds/package \
	share/kinds/service \
	share/kinds/template \
	share/kinds/user \
	share/kinds/wait \
	share/kinds/yunohost-app \
	share/kinds/yunohost-domain \
	share/kinds/yunohost-permission \
	share/kinds/yunohost-service \
	share/kinds/yunohost-user
# What several of them have in common.
kindslibdir = $(kindsdir)/lib
dist_kindslib_DATA = \
	share/kinds/lib/yunohost

# Where the tools of a build look for them; see bin/beside.h.
own_data = $(builddir)/share/towerify
all-local: $(own_data)/kinds
$(own_data)/kinds:
	$(AM_V_GEN)$(MKDIR_P) $(own_data) && \
		$(LN_S) '$(abs_top_srcdir)/share/kinds' $@
CLEANFILES += $(own_data)/kinds

# What is said to people in other languages than English; see share/po/README.
# The build's tools look where those of an installation would (bin/cli.c).
po_files = share/po/fr.po
EXTRA_DIST += $(po_files) \
	share/po/README \
	share/po/extract \
	share/po/towerify.pot
if TRANSLATED
french_dir = $(builddir)/share/locale/fr/LC_MESSAGES
frenchdir = $(localedir)/fr/LC_MESSAGES
french_DATA = $(french_dir)/towerify.mo
CLEANFILES += $(french_DATA)
$(french_dir)/towerify.mo: share/po/fr.po
	$(AM_V_GEN)$(MKDIR_P) $(french_dir) && \
		$(MSGFMT) -c -o $@.new $(srcdir)/share/po/fr.po && mv $@.new $@
endif

# The strings of the sources, for translators; and put into what they have.
pot:
	cd $(srcdir)/share/po && sh ./extract ../.. > towerify.pot.new && \
		mv towerify.pot.new towerify.pot
	for po in $(po_files); do \
		msgmerge -q --no-fuzzy-matching --no-wrap --backup=none \
			--add-location=file -U "$(srcdir)/$$po" \
			$(srcdir)/share/po/towerify.pot || exit; \
	done

.PHONY: pot

# Apps to begin with.
catalogdir = $(pkgdatadir)/catalog
dist_catalog_DATA = \
	share/catalog/docker.yaml \
	share/catalog/haproxy.yaml \
	share/catalog/keepalived.yaml \
	share/catalog/nginx-site.yaml \
	share/catalog/postgresql.yaml \
	share/catalog/yunohost-host.yaml

# Hooks, to be linked to: towerify-hooks(7).
hooksdir = $(pkgdatadir)/hooks
dist_hooks_SCRIPTS = \
	share/hooks/mail

# What the tower is set to, as a package installs it.
dist_pkgdata_DATA = \
	share/towerify.yaml

schemadir = $(pkgdatadir)/schema
dist_schema_DATA = \
	share/schema/0001.sql

examplesdir = $(docdir)/examples
dist_examples_DATA = \
	share/examples/hello.yaml \
	share/examples/kernel.yaml \
	share/examples/motd.txt \
	share/examples/motd.yaml \
	share/examples/nginx.yaml

# Examples for the administrator, to be copied; see towerify-gate(8).
gatedir = $(pkgdatadir)/gate
gate_DATA = share/gate/sudoers
dist_gate_DATA = share/gate/sshd_config

# A pass every minute: for /etc/cron.d, or for systemd, which finds its units,
# the user and the directories where they are.
crondir = $(pkgdatadir)/cron
cron_DATA = share/cron/towerify
systemunitdir = $(prefix)/lib/systemd/system
systemunit_DATA = share/systemd/towerify.service
dist_systemunit_DATA = share/systemd/towerify.timer
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = share/sysusers.d/towerify.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = share/tmpfiles.d/towerify.conf

# Texts that name where the tools are.
PLACED = \
	share/cron/towerify \
	share/gate/sudoers \
	share/systemd/towerify.service
EXTRA_DIST += \
	share/cron/towerify.in \
	share/gate/sudoers.in \
	share/systemd/towerify.service.in
CLEANFILES += $(PLACED)

share/cron/towerify: share/cron/towerify.in
share/gate/sudoers: share/gate/sudoers.in
share/systemd/towerify.service: share/systemd/towerify.service.in
$(PLACED): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
		sed 's|[@]bindir@|$(bindir)|g' $(srcdir)/$@.in > $@.new && \
		mv $@.new $@

completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = \
	share/completion/towerify

# zshdir is configure's.
dist_zsh_DATA = \
	share/completion/_towerify

fishdir = $(datadir)/fish/vendor_completions.d
dist_fish_DATA = \
	share/completion/towerify.fish

# bash and fish look for a file with the command's own name.
install-data-hook:
	cd "$(DESTDIR)$(completiondir)" && for program in $(TOOLS); do \
		rm -f "$${program##*/}" && \
		$(LN_S) towerify "$${program##*/}" || exit; \
	done
	cd "$(DESTDIR)$(fishdir)" && for program in $(TOOLS); do \
		rm -f "$${program##*/}.fish" && \
		$(LN_S) towerify.fish "$${program##*/}.fish" || exit; \
	done

uninstall-hook:
	for program in $(TOOLS); do \
		rm -f "$(DESTDIR)$(completiondir)/$${program##*/}" \
			"$(DESTDIR)$(fishdir)/$${program##*/}.fish"; \
	done

EXTRA_DIST += \
	share/demo.sh \
	share/embed.sh

# A throw-away sshd, three hosts, two changes, one pass; see README.
demo: all
	@PATH="$(abs_top_builddir)/bin:$$PATH" sh $(srcdir)/share/demo.sh

.PHONY: demo
