# SPDX-License-Identifier: Apache-2.0
# Two web applications in one Tomcat, with 16 threads each, while each of them is redeployed $REDEPLOYS times: by the daemon, and by
# the library as doc/tomcat.md says. Beside them an application that logs out of the token, and finalises its library.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
needs javac unzip
for file in /usr/share/tomcat10/bin/catalina.sh /usr/share/java/tomcat10-servlet-api.jar /usr/share/java/jna.jar; do
    [ -e "$file" ] || skip "$file is missing: tomcat10-common, libtomcat10-java, libjna-java"
done
redeploys=${REDEPLOYS-2}
: >tomcat.log
trap '[ "$failed" = 0 ] || tail -n 40 tomcat.log; stop_all' EXIT

# ---- keys in a token; the daemon and Tomcat have a copy each, as users have their own ----
make_token web
mkdir run
printf 1234 >pin
cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name='FileSigner'><type algorithm='SHA256withRSA' key='signer'/></descriptor>
	    <descriptor name='EncryptedFields'>
	      <type algorithm='AES/GCM/NoPadding' key='fields' asymCipher='RSA/ECB/OAEPWithSHA-1AndMGF1Padding'/>
	    </descriptor>
	    <descriptor name='Other'><type algorithm='SHA256withRSA' key='signer'/></descriptor>
	  </descriptors>
	  <keys>
	    <key name='signer'><type name='HSM' locationValue='$softhsm_module' tokenLabel='web' alias='signer' pin.source='file:pin'/></key>
	    <key name='fields'><type name='HSM' locationValue='$softhsm_module' tokenLabel='web' alias='fields' pin.source='file:pin'/></key>
	  </keys>
	  <access>
	    <allow name='portal' operations='sign verify encrypt decrypt'>
	      <user name='daemon'/> <descriptor name='FileSigner'/> <descriptor name='EncryptedFields'/>
	    </allow>
	  </access>
	</engineSignEncrypt>
XML
setup signengine -c engine.xml key generate signer --type rsa:2048 --key-usage sign
setup signengine -c engine.xml key generate fields --type rsa:2048 --key-usage encrypt
setup sh -c 'pkcs11-tool --module "$0" --token-label web --read-object --type cert --label signer | openssl x509 -inform DER -out signer.pem' "$softhsm_module"
token_of() { # USER: $tmp/USER.conf, for SOFTHSM2_CONF
    cp -a .tokens "$1.tokens"
    sed "s|$tmp/.tokens|$tmp/$1.tokens|" .softhsm2.conf >"$1.conf"
    chown -R "$1" "$1.tokens"
}
token_of nobody
token_of daemon
chown nobody run

# ---- applications ----
setup sh "$top_srcdir/java/build.sh" signengine.jar
build() {
    CLASSPATH=/usr/share/java/tomcat10-servlet-api.jar:signengine.jar:/usr/share/java/jna.jar \
        setup sh "$top_srcdir/samples/tomcat/build.sh" "$@"
}
build one.war "$top_srcdir/tests/daemon/tomcat/LoadServlet.java"
cp one.war two.war
setup javac --release 17 -cp /usr/share/java/tomcat10-servlet-api.jar:/usr/share/java/jna.jar -d neighbour/WEB-INF/classes \
    "$top_srcdir/tests/daemon/tomcat/NeighbourServlet.java"
setup jar --create --file neighbour.war -C neighbour WEB-INF
# what doc/tomcat.md warns of, and who forgets to close
mkdir own
(cd own && unzip -q ../one.war && mkdir WEB-INF/lib && cp /usr/share/java/jna.jar ../signengine.jar WEB-INF/lib)
setup jar --create --file own.war -C own WEB-INF
mkdir forgetful
(cd forgetful && unzip -q ../one.war)
setup javac --release 17 -cp "signengine.jar:/usr/share/java/tomcat10-servlet-api.jar:/usr/share/java/jna.jar" -d forgetful/WEB-INF/classes \
    "$top_srcdir/tests/daemon/tomcat/ForgetfulListener.java"
setup jar --create --file forgetful.war -C forgetful WEB-INF

# ---- a Tomcat of the test's own ----
java_home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/.*java\.home = //p')
start_tomcat() { # daemon|library OPTION...: of the JVM; its process is $tomcat, its log tomcat.log, its address $web
    lib=$1
    shift
    rm -rf base
    mkdir -p base/conf base/lib base/logs base/temp base/webapps base/work
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    web=http://127.0.0.1:$port
    cat >base/conf/server.xml <<-XML
	<Server port="-1">
	  <Service name="Catalina">
	    <Connector address="127.0.0.1" port="$port"/>
	    <Engine name="Catalina" defaultHost="localhost" backgroundProcessorDelay="1">
	      <Host name="localhost" appBase="webapps"/>
	    </Engine>
	  </Service>
	</Server>
	XML
    # applications are looked at, the server's own libraries need not be
    echo '<Context unloadDelay="60000"><JarScanner scanClassPath="false"/></Context>' >base/conf/context.xml
    ln -s /usr/share/java/jna.jar base/lib/jna.jar
    [ "$lib" = daemon ] || cp signengine.jar base/lib
    cp one.war two.war neighbour.war base/webapps
    chown -R daemon base
    : >tomcat.log
    setpriv --reuid=daemon --regid=daemon --init-groups env SOFTHSM2_CONF="$tmp/daemon.conf" JAVA_HOME="$java_home" \
        CATALINA_HOME=/usr/share/tomcat10 CATALINA_BASE="$tmp/base" \
        JAVA_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dtoken.library=$softhsm_module -Dtoken.slot=$slot $*" \
        sh /usr/share/tomcat10/bin/catalina.sh run >tomcat.log 2>&1 &
    tomcat=$!
    others=$tomcat
    for app in one two neighbour; do until_true has_deployed $app 1; done
    # Tomcat is asked past what keeps the answers of the daemon
    until_true "$CURL" -sf -o /dev/null "$web/one/"
}
stop_tomcat() {
    kill "$tomcat"
    status=0
    wait "$tomcat" || status=$?
    others=''
    [ "$status" = 143 ] || fail "Tomcat ended with status $status"
}
has_deployed() { # APP TIMES
    [ "$(grep -c "Deployment of web application archive.*/$1\.war.* has finished" tomcat.log)" -ge "$2" ]
}

# ---- what the page does ----
page() { # APP CODE OPERATION DESCRIPTOR CONTENT [SIGNATURE]: a case; what is between <pre> and </pre> goes to $out
    cases=$((cases + 1)) bad=''
    code=$("$CURL" -s -o answer.html -w '%{http_code}' --data-urlencode "operation=$3" --data-urlencode "descriptor=$4" \
        --data-urlencode "content=$5" --data-urlencode "signature=${6-}" "$web/$1/" 2>"$err") || true
    sed -n '/<pre>/,/<\/html>/{ s/.*<pre>//; s/<\/pre>.*//; /<\/html>/!p }' answer.html >"$out"
    [ "$code" = "$2" ] || fail "$code, not $2: $*"
}
works() { # APP: each operation, judged by openssl
    page "$1" 200 sign FileSigner 'some text'
    tr -d '\r' <"$out" | openssl base64 -d >signature
    printf 'some text' >content
    accepts openssl cms -verify -binary -inform DER -in signature -content content -CAfile signer.pem -purpose any -out /dev/null
    signature=$(openssl base64 <signature)
    page "$1" 200 verify FileSigner 'some text' "$signature"
    page "$1" 422 verify FileSigner 'other text' "$signature"
    says 'rejected: '
    page "$1" 200 encrypt EncryptedFields 'a <secret>'
    page "$1" 200 decrypt EncryptedFields "$(cat "$out")"
    says 'a &lt;secret>'
    page "$1" 422 decrypt EncryptedFields 'no value'
}

# ---- load ----
load() { # APP: asks until the file `ended` is there; the answers go to load.APP
    while [ ! -e ended ]; do
        # while it is redeployed Tomcat answers 404
        "$CURL" -s -f -m 300 "$web/$1/load?threads=16&times=2" >>"load.$1" || echo away >>"load.$1"
        sleep 0.2
    done
}
answered() { # APP TIMES
    [ "$(grep -c -v away "load.$1")" -ge "$2" ]
}
redeploy() { # APP TIMES: it is there the so maniest time, and has been asked since
    cp "$1.war" base/new
    chown daemon base/new
    mv base/new "base/webapps/$1.war"
    until_true has_deployed "$1" "$2"
    until_true answered "$1" "$(($(grep -c -v away "load.$1") + 2))"
}
neighbour() { # WHAT TIMES
    accepts "$CURL" -s "$web/neighbour/$1?times=$2"
    says good
}
under_load() { # NEIGHBOUR...: what the neighbour does meanwhile
    rm -f ended load.*
    : >load.one
    : >load.two
    load one &
    loading=$!
    load two &
    loading="$loading $!"
    others="$others $loading"
    for n in $(seq 2 $((redeploys + 1))); do
        redeploy one "$n"
        redeploy two "$n"
    done
    for way; do
        neighbour "$way" 5
        until_true answered one "$(($(grep -c -v away load.one) + 2))"
    done
    : >ended
    # shellcheck disable=SC2086 # words
    wait $loading
    others=$tomcat
    for app in one two; do
        cases=$((cases + 1)) bad=''
        grep -v -e '^{good=32}$' -e '^away$' "load.$app" >"$out" || :
        [ ! -s "$out" ] || fail "calls of $app have failed"
        [ "$(grep -c good "load.$app")" -gt "$redeploys" ] || fail "$app was not asked often enough"
        echo "# $app: $(grep -c good "load.$app") times 16 threads with 2 rounds each, $redeploys redeployments"
    done
}

# ---- by the daemon ----
export SOFTHSM2_CONF="$tmp/nobody.conf"
daemon_settings
start_daemon "$top_builddir/signengined"
start_tomcat daemon "-Dsignengine.socket=$tmp/run/socket"
works one
page two 422 sign Other text
says 'forbidden: not allowed (request '
under_load logout finalize
works two
# the daemon is started anew: kept connections are gone, and nobody notices
stop_daemon
start_daemon "$top_builddir/signengined"
works one
stop_daemon
page one 422 sign FileSigner text
stop_tomcat

# ---- by the library ----
if instrumented; then
    echo 'not by the library: Java cannot load one that a sanitizer or valgrind watches'
    exit
fi
# others may not be allowed into the folder of the build
mkdir lib
cp "$top_builddir"/.libs/libsignengine.so* lib
start_tomcat library "-Dsignengine.config=$tmp/engine.xml -Djna.library.path=$tmp/lib"
works one
page two 200 sign Other text
under_load
# the library logs in again. Who logs out once more while it does so makes calls fail as "unavailable", for half a second
for app in one two; do
    neighbour logout 1
    accepts "$CURL" -s "$web/$app/load?threads=16&times=2"
    says '{good=32}'
done
works two
cases=$((cases + 1)) bad=''
[ "$(grep -c 'r-xp.*/libsignengine\.so' "/proc/$tomcat/maps")" = 1 ] || fail 'the library is there more than once'
# of applications that went nothing stays: not their classes, nor an engine that was not closed and that calls them
loaders() { # how many class loaders of applications there are
    setpriv --reuid=daemon --regid=daemon --init-groups jcmd "$tomcat" GC.class_histogram >"$out" 2>"$err"
    awk '$4 == "org.apache.catalina.loader.ParallelWebappClassLoader" { print $2 }' "$out"
}
cp forgetful.war base/webapps
until_true has_deployed forgetful 1
for n in 2 3 4; do
    cp forgetful.war base/new
    chown daemon base/new
    mv base/new base/webapps/forgetful.war
    until_true has_deployed forgetful "$n"
done
has_four() { [ "$(loaders)" = 4 ]; }
until_true has_four
cases=$((cases + 1)) bad=''
if grep -F -e 'appears to have started a thread' -e 'created a ThreadLocal' tomcat.log >"$out"; then fail 'an application has left something'; fi
# an application with jars of its own, beside others with those of the server
cp own.war base/webapps
until_true has_deployed own 1
cases=$((cases + 1)) bad=''
grep -q 'java.lang.UnsatisfiedLinkError' tomcat.log || fail 'an application with its own jars has come up'
page own 404 sign FileSigner text
works one
stop_tomcat
