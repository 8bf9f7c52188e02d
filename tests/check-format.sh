#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The sources look as .clang-format says.  Versions differ in detail; ours is Debian 12's.
set -eu
cd "${top_srcdir:?}"

case $(clang-format --version 2>/dev/null) in
*'version 14.'*) ;;
*) echo "SKIPPED: clang-format 14 is not installed" && exit 77 ;;
esac
find src tests samples -name '*.[ch]' 2>/dev/null | sort | xargs clang-format --dry-run -Werror
