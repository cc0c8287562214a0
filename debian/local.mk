# debian/local.mk - Debian's packages
#
# make deb: towerify and towerify-doc in deb/ of the build directory, from the
# tarball of make dist; debian/ of the sources is read only.  make lint-deb reads
# them with lintian.

EXTRA_DIST += \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/po/POTFILES.in \
	debian/po/fr.po \
	debian/po/templates.pot \
	debian/rules \
	debian/source/format \
	debian/source/lintian-overrides \
	debian/towerify-doc.doc-base \
	debian/towerify-doc.docs \
	debian/towerify-doc.lintian-overrides \
	debian/towerify.README.Debian \
	debian/towerify.docs \
	debian/towerify.lintian-overrides \
	debian/towerify.postinst \
	debian/towerify.postrm \
	debian/towerify.prerm \
	debian/towerify.templates

# What the packages were made of has not changed since: they are not made again.
deb: deb/made
	$(AM_V_at)ls deb/*.deb

# Nothing of this build's flags reaches the package's.  The tests are make
# check's.
deb/made: $(DISTFILES)
	$(AM_V_at)rm -rf deb.new && $(MKDIR_P) deb.new && : > deb.new/made
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) dist-gzip
	$(AM_V_at)cp $(distdir).tar.gz \
		deb.new/$(PACKAGE)_$(VERSION).orig.tar.gz && \
		tar -xzf $(distdir).tar.gz -C deb.new
	$(AM_V_GEN)cd deb.new/$(distdir) && env -u MAKEFLAGS -u MFLAGS \
		-u MAKELEVEL -u CFLAGS -u CXXFLAGS -u CPPFLAGS -u LDFLAGS \
		-u CC -u CXX -u CONFIG_SITE DEB_BUILD_OPTIONS=nocheck \
		dpkg-buildpackage -us -uc -J > ../log 2>&1 || { \
			tail -n 100 ../log >&2; exit 1; }
	$(AM_V_at)rm -rf deb.new/$(distdir) deb && mv deb.new deb

lint-deb: deb
	$(AM_V_at)lintian --fail-on error,warning --pedantic --info deb/*.changes

clean-deb:
	rm -rf deb deb.new deb.lock
clean-local: clean-deb

.PHONY: deb lint-deb clean-deb
