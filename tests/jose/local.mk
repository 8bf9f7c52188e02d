# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += \
	tests/jose/attacks.sh \
	tests/jose/interop.sh \
	tests/jose/jws.sh \
	tests/jose/jwt.sh \
	tests/jose/public-key.sh \
	tests/jose/vectors.sh
EXTRA_DIST += tests/jose/attacks.py tests/jose/judge.mjs tests/jose/judge.py tests/jose/package.json tests/jose/package-lock.json
