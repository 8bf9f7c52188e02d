# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # of harness.sh and daemon-lib.sh
# streams-lib.sh, behind daemon-lib.sh: large bodies, and a daemon that keeps none of them in memory.
#
#   streams_configuration      engine.xml: Signer, Zip, Fields and Mail, with two versions where that matters, all for the user daemon
#   streams_settings LINE...   with a spool in $tmp/spool
#   post TARGET TYPE FILE [CURL-OPTION...]   a case, by the user daemon, as ask; the answer is answer.body, too
#   peak_kb                    the most memory that the daemon had
#   spool_is_empty             by its own account, and nothing has a name there
#   zips_are_served BYTES, mail_is_served BYTES, octets_are_served BYTES, lines_are_served COUNT
rsa='SHA256withRSA' gcm="algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"
octets=application/octet-stream ndjson=application/x-ndjson

streams_configuration() {
    daemon_configuration
    make_cert first rsa:2048 subject=/CN=first
    make_cert second rsa:2048 subject=/CN=second
    make_cert mail rsa:2048 subject=/CN=mail subjectAltName=email:ann@example.org
    for name in first second mail; do cat $name.key $name.pem ca.pem >$name.bundle; done
    chown nobody ./*.bundle
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name='Signer'><type algorithm='SHA-256' key='one'/></descriptor>
	    <descriptor name='Zip' version='1'><type algorithm='$rsa' key='first'/></descriptor>
	    <descriptor name='Zip' version='2'><type algorithm='$rsa' key='second'/></descriptor>
	    <descriptor name='Fields' version='1'><type $gcm key='first'/></descriptor>
	    <descriptor name='Fields' version='2'><type $gcm key='second'/></descriptor>
	    <descriptor name='Mail'><type algorithm='$rsa' key='mail'/></descriptor>
	  </descriptors>
	  <keys>
	    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
	    <key name='first'><type name='pem' locationValue='first.bundle'/></key>
	    <key name='second'><type name='pem' locationValue='second.bundle'/></key>
	    <key name='mail'><type name='pem' locationValue='mail.bundle'/></key>
	  </keys>
	  <access>
	    <allow name='all' operations='sign verify encrypt decrypt rekey zip-sign zip-verify zip-encrypt zip-decrypt mail-sign mail-verify'>
	      <user name='daemon'/>
	      <descriptor name='Signer'/> <descriptor name='Zip'/> <descriptor name='Fields'/> <descriptor name='Mail'/>
	    </allow>
	    <allow name='first' operations='zip-verify'> <user name='bin'/> <descriptor name='Zip' version='1'/> </allow>
	    <allow name='few' operations='encrypt' perMinute='100'> <user name='games'/> <descriptor name='Fields'/> </allow>
	    <allow name='metrics' operations='monitor'> <user name='nobody'/> </allow>
	  </access>
	</engineSignEncrypt>
	XML
    export SIGNENGINE_CONFIG="$tmp/engine.xml"
}

streams_settings() {
    mkdir -p spool
    chown nobody spool
    chmod 700 spool
    daemon_settings "spool = $tmp/spool" "$@"
}

post() {
    poster=${user_of_post-daemon} target=$1 type=$2 sent=$3
    shift 3
    chmod 644 "$sent"
    ask "$poster" POST "/v1/descriptors/$target" -H "Content-Type: $type" --data-binary "@$tmp/$sent" "$@"
    cp "$out" answer.body
    [ "$(wc -c <"$out")" -lt 4000 ] || : >"$out"
}

peak_kb() { awk '/^VmHWM:/ { print $2 }' "/proc/$daemon/status"; }

metric() {
    as nobody curl -s --unix-socket "$tmp/run/socket" http://x/metrics | sed -n "s/^$1 //p"
}

spool_is_empty() {
    [ "$(metric signengine_spool_bytes)" = 0 ] && [ "$(metric signengine_body_bytes)" = 0 ] && [ -z "$(ls -A spool)" ]
}

# ---- octets: signed and verified ----
octets_are_served() {
    dd if=/dev/urandom of=content bs=65536 count=$(($1 / 65536)) 2>/dev/null
    post Signer/sign "$octets" content
    answers 200
    accepts openssl cms -verify -binary -inform DER -in answer.body -content content -CAfile ca.pem -purpose any -out /dev/null
    signature=$(base64 -w0 <answer.body)
    post Signer/verify "$octets" content -H "Signengine-Signature: $signature"
    answers 200 '"subject":"CN=one"'
    post 'Signer/sign?form=attached' "$octets" content -H 'Transfer-Encoding: chunked'
    answers 200
    mv answer.body attached
    accepts openssl cms -verify -binary -inform DER -in attached -CAfile ca.pem -purpose any -out back
    same back content
    post Signer/verify "$octets" attached -H "Accept: $octets"
    answers 200
    same answer.body content
    printf x >>content
    post Signer/verify "$octets" content -H "Signengine-Signature: $signature"
    answers 422 '"status":"rejected"'
    # no part of what is not good leaves
    printf x | dd of=attached bs=1 seek=$(($1 / 2)) conv=notrunc 2>/dev/null
    post Signer/verify "$octets" attached -H "Accept: $octets"
    answers 422 '"status":"rejected"'
    rm -f attached back content
}

# ---- zips, and containers ----
zips_are_served() {
    setup python3 streams.py zip "$1" plain.zip
    post 'Zip/zip/sign?version=1' "$octets" plain.zip
    answers 200
    mv answer.body signed.zip
    accepts unzip -tq signed.zip
    accepts signengine zip verify -d Zip signed.zip
    cat first.pem ca.pem >chain.pem
    if command -v jarsigner >/dev/null; then
        [ -e trust.p12 ] || setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
        accepts jarsigner -verify -strict -keystore trust.p12 -storepass changeit signed.zip
        says 'jar verified'
    fi
    post Zip/zip/verify "$octets" signed.zip
    answers 200
    grep -q '"version":1,' answer.body || fail 'not version 1'
    # the version that is asked for, or that the row allows
    post 'Zip/zip/verify?version=2' "$octets" signed.zip
    answers 422 '"status":"rejected"'
    user_of_post=bin
    post Zip/zip/verify "$octets" signed.zip
    answers 200
    post 'Zip/zip/verify?version=2' "$octets" signed.zip
    answers 403
    unset user_of_post
    printf x | dd of=signed.zip bs=1 seek=$(($1 / 2)) conv=notrunc 2>/dev/null
    post Zip/zip/verify "$octets" signed.zip
    answers 400 'the zip: '
    rm signed.zip

    post Fields/zip/encrypt "$octets" plain.zip
    answers 200
    mv answer.body container
    accepts signengine zip decrypt -d Fields container -o back.zip
    same back.zip plain.zip
    post Fields/zip/decrypt "$octets" container
    answers 200
    same answer.body plain.zip
    # the last byte is wrong: nothing of what comes before it leaves
    printf x | dd of=container bs=1 seek=$(($(wc -c <container) - 1)) conv=notrunc 2>/dev/null
    post Fields/zip/decrypt "$octets" container
    answers 422 '"status":"rejected"'
    rm -f container back.zip plain.zip answer.body
}

# ---- mail ----
mail_is_served() {
    {
        printf 'From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: large\r\nDate: Tue, 1 Dec 2026 10:00:00 +0000\r\n'
        printf 'Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n'
        head -c "$1" /dev/zero | base64 -w76 | sed 's/$/\r/'
    } >message
    post Mail/mail/sign message/rfc822 message
    answers 200
    mv answer.body signed.eml
    accepts openssl cms -verify -in signed.eml -CAfile ca.pem -purpose any -out /dev/null
    post Mail/mail/verify message/rfc822 signed.eml
    answers 200 '"address":"ann@example.org"'
    sed -i 's/^AAAAAAA/AAAAAAB/' signed.eml
    post Mail/mail/verify message/rfc822 signed.eml
    answers 422 '"status":"rejected"'
    rm -f message signed.eml
}

# ---- lines ----
lines_are_served() {
    python3 streams.py contents "$1" >lines
    post 'Fields/encrypt?version=1' "$ndjson" lines
    answers 200
    python3 streams.py values "$1" <answer.body >lines || fail 'encrypt: not what was asked'
    post Fields/decrypt "$ndjson" lines
    answers 200
    accepts python3 streams.py plain "$1" <answer.body
    says "$1 lines are as they were"
    post Fields/rekey "$ndjson" lines
    answers 200
    python3 streams.py rekeyed "$1" <answer.body >lines || fail 'rekey: not what was asked'
    post 'Fields/decrypt?version=2' "$ndjson" lines
    answers 200
    accepts python3 streams.py plain "$1" <answer.body
    rm -f lines answer.body
}
