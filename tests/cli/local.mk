# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += \
	tests/cli/audit.sh \
	tests/cli/access.sh \
	tests/cli/backup.sh \
	tests/cli/backup-shares.sh \
	tests/cli/backup-token.sh \
	tests/cli/certificates.sh \
	tests/cli/check.sh \
	tests/cli/check-stamps.sh \
	tests/cli/check-watch.sh \
	tests/cli/config-sign.sh \
	tests/cli/completion.sh \
	tests/cli/completion-shells.sh \
	tests/cli/container.sh \
	tests/cli/core.sh \
	tests/cli/digest.sh \
	tests/cli/encrypt.sh \
	tests/cli/evidence.sh \
	tests/cli/files.sh \
	tests/cli/html.sh \
	tests/cli/json.sh \
	tests/cli/key.sh \
	tests/cli/keyfiles.sh \
	tests/cli/loading.sh \
	tests/cli/messages.sh \
	tests/cli/namesakes.sh \
	tests/cli/ocsp.sh \
	tests/cli/operations.sh \
	tests/cli/prompt.sh \
	tests/cli/purpose.sh \
	tests/cli/renewal.sh \
	tests/cli/rekey.sh \
	tests/cli/replicas.sh \
	tests/cli/retire.sh \
	tests/cli/revocation.sh \
	tests/cli/revoked-later.sh \
	tests/cli/rotate-killed.sh \
	tests/cli/rotate.sh \
	tests/cli/sample-config-zip.sh \
	tests/cli/sample-encrypted-fields.sh \
	tests/cli/sample-object-history.sh \
	tests/cli/sample-sign-file.sh \
	tests/cli/sharing.sh \
	tests/cli/sign.sh \
	tests/cli/timestamp.sh \
	tests/cli/token.sh \
	tests/cli/usage.sh \
	tests/cli/versions.sh \
	tests/cli/xml.sh \
	tests/cli/xml-attacks.sh \
	tests/cli/xml-signed.sh \
	tests/cli/xml-time.sh
dist_noinst_SCRIPTS += tests/cli/rekey-campaign.sh
EXTRA_DIST += tests/cli/evidence.py tests/cli/xml-shapes.py tests/vectors/xml-attacks tests/cli/messages.table tests/cli/operations.py tests/cli/p12.py tests/cli/rules_test.yml
BIG_TESTS += tests/cli/big.sh tests/cli/big-container.sh
