# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += src/libcurl/curl_calls.c src/libcurl/curl_calls.h
