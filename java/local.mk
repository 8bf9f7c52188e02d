# SPDX-License-Identifier: Apache-2.0
# Nothing of this is made by `make all`: it needs a JDK and JNA, which programs in C do not.
java_sources = $(srcdir)/java/org/signengine/*.java
EXTRA_DIST += java/README.md java/org
dist_noinst_SCRIPTS += java/build.sh

.PHONY: java
java: signengine.jar
signengine.jar: $(java_sources) $(srcdir)/java/build.sh
	$(srcdir)/java/build.sh $@
CLEANFILES += signengine.jar
