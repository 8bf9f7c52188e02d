# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	doc/architecture.md \
	doc/cluster.md \
	doc/guide-administrator.md \
	doc/guide-auditor.md \
	doc/guide-developer.md \
	doc/guide-operator.md \
	doc/pages/find.js \
	doc/pages/page.css \
	doc/speed.json \
	doc/speed.md \
	doc/speed-growth.svg \
	doc/speed-limits.svg \
	doc/speed-peers.svg \
	doc/speed-process.svg \
	doc/speed-threads.svg \
	doc/tomcat.md
dist_noinst_SCRIPTS += doc/pages/build.sh doc/pages/draw-layers.sh

# all pages as HTML, in html/
.PHONY: html-pages
html-pages:
	$(srcdir)/doc/pages/build.sh html
dist_man_MANS += \
	doc/engineSignEncrypt.5 \
	doc/libsignengine.3 \
	doc/libsignengine-history.3 \
	doc/libsignengine-mail.3 \
	doc/signengine.1 \
	doc/signengine-access.1 \
	doc/signengine-audit.7 \
	doc/signengine-azure.7 \
	doc/signengine-certificates.1 \
	doc/signengine-check.1 \
	doc/signengine-config.1 \
	doc/signengine-decrypt.1 \
	doc/signengine-encrypt.1 \
	doc/signengine-evidence.1 \
	doc/signengine-history.1 \
	doc/signengine-jws.1 \
	doc/signengine-jwt.1 \
	doc/signengine-key.1 \
	doc/signengine-mail.1 \
	doc/signengine-operations.7 \
	doc/signengine-pin.1 \
	doc/signengine-rekey.1 \
	doc/signengine-retire.1 \
	doc/signengine-rotate.1 \
	doc/signengine-sign.1 \
	doc/signengine-verify.1 \
	doc/signengine-zip.1

# `man se_sign`: each function has a page that leads to the page of its library
install-data-hook:
	for name in signengine signengine-history signengine-mail; do \
	    for function in $$(sed -n 's/^\.Fn \(se_[a-z0-9_]*\).*/\1/p' $(srcdir)/doc/lib$$name.3 | sort -u); do \
	        echo ".so man3/lib$$name.3" >$(DESTDIR)$(man3dir)/$$function.3 || exit 1; \
	    done; \
	done
uninstall-hook:
	rm -f $(DESTDIR)$(man3dir)/se_*.3
