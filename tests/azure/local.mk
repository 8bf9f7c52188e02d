# SPDX-License-Identifier: Apache-2.0
# Azure Key Vault, Managed HSM, Entra and managed identity on this machine: azure.sh
check_PROGRAMS += tests/azure/emulator
tests_azure_emulator_SOURCES = \
	tests/azure/answers.c \
	tests/azure/assertion.c \
	tests/azure/backup.c \
	tests/azure/cert_build.c \
	tests/azure/cert_import.c \
	tests/azure/certificates.c \
	tests/azure/control.c \
	tests/azure/deletion.c \
	tests/azure/emulator.h \
	tests/azure/faults.c \
	tests/azure/hsm.c \
	tests/azure/http.c \
	tests/azure/identity.c \
	tests/azure/jwk.c \
	tests/azure/keys.c \
	tests/azure/login.c \
	tests/azure/main.c \
	tests/azure/operations.c \
	tests/azure/proxy.c \
	tests/azure/roles.c \
	tests/azure/router.c \
	tests/azure/server.c \
	tests/azure/stats.c \
	tests/azure/store.c \
	tests/azure/store.h \
	tests/azure/text.c \
	tests/azure/throttle.c \
	tests/azure/tls.c \
	tests/azure/tokens.c
tests_azure_emulator_LDADD = -lssl $(CRYPTO_LIBS) $(JANSSON_LIBS) -lpthread

# an application with many threads, told what to do by load.sh
check_PROGRAMS += tests/azure/load
tests_azure_load_SOURCES = tests/azure/load.c
tests_azure_load_LDADD = libsignengine.la -lpthread

SHELL_TESTS += \
	tests/azure/admin.sh \
	tests/azure/check.sh \
	tests/azure/client.sh \
	tests/azure/emulator-hsm.sh \
	tests/azure/emulator-login.sh \
	tests/azure/emulator.sh \
	tests/azure/faults.sh \
	tests/azure/identities.sh \
	tests/azure/key-client.sh \
	tests/azure/key.sh \
	tests/azure/logins.sh \
	tests/azure/memory.sh \
	tests/azure/oidc.sh \
	tests/azure/outage.sh \
	tests/azure/pinned.sh \
	tests/azure/renewal.sh \
	tests/azure/replay.sh \
	tests/azure/requests.sh \
	tests/azure/rotate.sh \
	tests/azure/sample.sh \
	tests/azure/throttling.sh
EXTRA_DIST += tests/azure/azure.sh tests/azure/client.mjs tests/azure/key-client.mjs tests/azure/load.sh tests/azure/login.sh tests/azure/memory.py tests/azure/oidc.mjs tests/azure/package.json tests/azure/replay.py
