# SPDX-License-Identifier: Apache-2.0
# signengined
SHELL_TESTS += tests/daemon/openapi.sh
EXTRA_DIST += tests/daemon/answers.mjs tests/daemon/openapi-lib.sh tests/daemon/package.json tests/daemon/package-lock.json
