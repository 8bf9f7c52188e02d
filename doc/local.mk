dist_man_MANS += \
	doc/engineSignEncrypt.5 \
	doc/libsignengine.3 \
	doc/signengine.1 \
	doc/signengine-check.1 \
	doc/signengine-config.1 \
	doc/signengine-decrypt.1 \
	doc/signengine-encrypt.1 \
	doc/signengine-history.1 \
	doc/signengine-key.1 \
	doc/signengine-mail.1 \
	doc/signengine-pin.1 \
	doc/signengine-rekey.1 \
	doc/signengine-sign.1 \
	doc/signengine-verify.1 \
	doc/signengine-zip.1
