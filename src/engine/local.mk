libse_core_la_SOURCES += \
	src/engine/batch.c \
	src/engine/check.c \
	src/engine/container.c \
	src/engine/context.c \
	src/engine/decrypt.c \
	src/engine/describe.c \
	src/engine/encrypt.c \
	src/engine/engine.h \
	src/engine/event.c src/engine/event.h \
	src/engine/fields.h \
	src/engine/identify.c \
	src/engine/files.c \
	src/engine/formats.c \
	src/engine/many.c \
	src/engine/memory.c src/engine/memory.h \
	src/engine/open.c \
	src/engine/pins.c \
	src/engine/prepare.c \
	src/engine/probe.c src/engine/probe.h \
	src/engine/replica.c src/engine/replica.h \
	src/engine/replicas.c src/engine/replicas.h \
	src/engine/roots.c src/engine/roots.h \
	src/engine/sharing.c src/engine/sharing.h \
	src/engine/sign.c \
	src/engine/slot.c \
	src/engine/timestamp.c src/engine/timestamp.h \
	src/engine/trusted.c src/engine/trusted.h \
	src/engine/verifier.c \
	src/engine/verify.c
