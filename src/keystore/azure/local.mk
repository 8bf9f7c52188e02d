# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/keystore/azure/curl.c src/keystore/azure/curl.h \
	src/keystore/azure/http.c src/keystore/azure/http.h \
	src/keystore/azure/http_pool.c src/keystore/azure/http_pool.h \
	src/keystore/azure/place.c src/keystore/azure/place.h \
	src/keystore/azure/throttle.c src/keystore/azure/throttle.h
