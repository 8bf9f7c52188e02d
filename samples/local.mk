# SPDX-License-Identifier: Apache-2.0
dist_noinst_SCRIPTS += samples/azure/run.sh samples/cluster/run.sh samples/quickstart.sh samples/service/run.sh samples/tomcat/build.sh
EXTRA_DIST += \
	samples/azure/README.md \
	samples/azure/engineSignEncrypt.xml \
	samples/clients/README.md \
	samples/clients/Signengine.java \
	samples/clients/signengine-client.c \
	samples/clients/signengine.mjs \
	samples/clients/signengine.py \
	samples/clients/signengine.sh \
	samples/cluster/README.md \
	samples/cluster/engineSignEncrypt.xml \
	samples/cluster/haproxy.cfg \
	samples/cluster/signengined.conf \
	samples/config-zip/README.md \
	samples/config-zip/config-zip.c \
	samples/config-zip/engineSignEncrypt.xml \
	samples/encrypted-fields/README.md \
	samples/encrypted-fields/engineSignEncrypt.xml \
	samples/encrypted-fields/fields.c \
	samples/object-history/README.md \
	samples/object-history/engineSignEncrypt.xml \
	samples/object-history/history.c \
	samples/packages.txt \
	samples/service/README.md \
	samples/service/engineSignEncrypt.xml \
	samples/show.sh \
	samples/sign-file/README.md \
	samples/sign-file/engineSignEncrypt.xml \
	samples/sign-file/sign-file.c \
	samples/sign-mail/README.md \
	samples/sign-mail/engineSignEncrypt.xml \
	samples/sign-mail/sign-mail.c \
	samples/tomcat/README.md \
	samples/tomcat/src/Keys.java \
	samples/tomcat/src/KeysListener.java \
	samples/tomcat/src/LibraryKeys.java \
	samples/tomcat/src/PageServlet.java
