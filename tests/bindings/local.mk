# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += tests/bindings/java.sh tests/bindings/python.sh
EXTRA_DIST += tests/bindings/common.py tests/bindings/engines.sh tests/bindings/headers.py tests/bindings/java \
	tests/bindings/java_layout.py tests/bindings/python_jobs.py tests/bindings/python_layout.py tests/bindings/python_life.py \
	tests/bindings/python_refusals.py tests/bindings/python_vectors.py
