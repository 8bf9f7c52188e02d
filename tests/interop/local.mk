# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += \
	tests/interop/backup.sh \
	tests/interop/c14n.sh \
	tests/interop/cms.sh \
	tests/interop/cms-others.sh \
	tests/interop/encrypt.sh \
	tests/interop/evidence.sh \
	tests/interop/key.sh \
	tests/interop/nx02.sh \
	tests/interop/revocation.sh \
	tests/interop/vectors.sh \
	tests/interop/xml.sh \
	tests/interop/xml-documents.sh \
	tests/interop/xml-java.sh
EXTRA_DIST += tests/interop/Envelope.java tests/interop/Evidence.java tests/interop/Mail.java tests/interop/Ocsp.java tests/interop/XmlDsig.java tests/interop/ess.py tests/interop/jwe.py tests/interop/xml_documents.py tests/vectors/jwe tests/vectors/nx02
check_PROGRAMS += tests/interop/c14n tests/interop/decrypt tests/interop/xmlsign
tests_interop_c14n_LDADD    = $(CORE_LIBS)
tests_interop_decrypt_LDADD = $(CORE_LIBS)
tests_interop_xmlsign_LDADD = $(CORE_LIBS)
