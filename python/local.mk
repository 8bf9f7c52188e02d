# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += python/README.md python/pyproject.toml python/signengine.py
