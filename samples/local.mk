dist_noinst_SCRIPTS += samples/quickstart.sh
EXTRA_DIST += \
	samples/packages.txt \
	samples/sign-file/README.md \
	samples/sign-file/engineSignEncrypt.xml \
	samples/sign-file/sign-file.c
