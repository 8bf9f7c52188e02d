# SPDX-License-Identifier: Apache-2.0
libse_base_la_SOURCES += \
	src/base/arguments.h \
	src/base/array.h \
	src/base/auto.h \
	src/base/base64.c src/base/base64.h \
	src/base/breaker.c src/base/breaker.h \
	src/base/fork_lock.c src/base/fork_lock.h \
	src/base/buf.c src/base/buf.h \
	src/base/choice.c src/base/choice.h \
	src/base/clock.c src/base/clock.h \
	src/base/deadline.h \
	src/base/error.c src/base/error.h \
	src/base/file.c src/base/file.h \
	src/base/file_watch.c src/base/file_watch.h \
	src/base/json_write.c src/base/json_write.h \
	src/base/metric.c src/base/metric.h \
	src/base/parallel.c src/base/parallel.h \
	src/base/timed_call.c src/base/timed_call.h \
	src/base/process.c src/base/process.h \
	src/base/reader.h \
	src/base/settings.c src/base/settings.h \
	src/base/stream.c src/base/stream.h \
	src/base/text.c src/base/text.h \
	src/base/thread.h \
	src/base/utf8.h
