# SPDX-License-Identifier: Apache-2.0
# Measured, not tested: "make bench" prints what it measured and leaves bench.json.  Nothing here is part of "make check".
EXTRA_PROGRAMS += tests/bench/fields tests/bench/history tests/bench/history_growth tests/bench/sign
tests_bench_fields_SOURCES = tests/bench/fields.c tests/bench/bare.c tests/bench/bare.h tests/bench/race.c tests/bench/race.h
tests_bench_fields_LDADD = $(CORE_LIBS)
HISTORY_BENCH = tests/bench/race.c tests/bench/race.h tests/bench/records.c tests/bench/records.h
tests_bench_history_SOURCES = tests/bench/history.c tests/bench/bare_rows.c tests/bench/bare_rows.h $(HISTORY_BENCH)
tests_bench_history_LDADD = $(HISTORY_LIBS) $(CORE_LIBS) $(SQLITE_LIBS) $(PQ_LIBS)
tests_bench_history_growth_SOURCES = tests/bench/history_growth.c $(HISTORY_BENCH)
tests_bench_history_growth_LDADD = $(HISTORY_LIBS) $(CORE_LIBS)
tests_bench_sign_SOURCES = tests/bench/sign.c tests/bench/bare.c tests/bench/bare.h tests/bench/libp11_signer.c tests/bench/libp11_signer.h tests/bench/race.c tests/bench/race.h
tests_bench_sign_LDADD = $(CORE_LIBS) $(P11_LIBS) $(CRYPTO_LIBS)
dist_noinst_SCRIPTS += tests/bench/bench.sh tests/bench/plots.sh
EXTRA_DIST += tests/bench/setup.sh tests/bench/shape.sh tests/bench/fields.sh tests/bench/history.sh tests/bench/xml.sh tests/bench/softhsm.sh tests/bench/latency.sh tests/bench/opencryptoki.sh tests/bench/process.sh tests/bench/zip.sh tests/bench/Jce.java tests/bench/JceFields.java
CLEANFILES += bench.json speed-growth.svg speed-limits.svg speed-peers.svg speed-process.svg speed-threads.svg tests/bench/fields tests/bench/history tests/bench/history_growth tests/bench/sign

.PHONY: bench
bench: signengine tests/bench/fields tests/bench/history tests/bench/history_growth tests/bench/sign tests/lib/maxrss tests/lib/shim.la
	top_builddir='$(abs_top_builddir)' $(SHELL) $(srcdir)/tests/bench/bench.sh bench.json
	$(srcdir)/tests/bench/plots.sh bench.json . || [ $$? = 77 ]

EXTRA_PROGRAMS += tests/bench/mail
tests_bench_mail_SOURCES = tests/bench/mail.c tests/bench/bare.c tests/bench/bare.h tests/bench/race.c tests/bench/race.h
tests_bench_mail_LDADD = $(MAIL_LIBS) $(CORE_LIBS)
EXTRA_DIST += tests/bench/mail.sh
CLEANFILES += tests/bench/mail
bench: all tests/bench/mail

EXTRA_PROGRAMS += tests/bench/vault
tests_bench_vault_SOURCES = tests/bench/vault.c tests/bench/race.c tests/bench/race.h
tests_bench_vault_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
tests_bench_vault_LDADD = $(CORE_LIBS) -lcurl
EXTRA_DIST += tests/bench/azure.mjs tests/bench/azure.sh
CLEANFILES += tests/bench/vault
bench: tests/bench/vault tests/azure/emulator

EXTRA_PROGRAMS += tests/bench/service
tests_bench_service_SOURCES = tests/bench/service.c tests/bench/bare.c tests/bench/bare.h tests/bench/race.c tests/bench/race.h
tests_bench_service_LDADD = $(CORE_LIBS)
EXTRA_DIST += tests/bench/service.sh
CLEANFILES += tests/bench/service
bench: tests/bench/service

EXTRA_PROGRAMS += tests/bench/jws
tests_bench_jws_SOURCES = tests/bench/jws.c tests/bench/race.c tests/bench/race.h
tests_bench_jws_LDADD = $(CORE_LIBS)
EXTRA_DIST += tests/bench/jws.sh
CLEANFILES += tests/bench/jws
bench: tests/bench/jws
