# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# After the harness: backups of keys in tokens that are unlike SoftHSM, and from there to SoftHSM and back.
#
#   configure MODULE ATTRIBUTES      makes engine.xml: the keys rsa, ec and plain in that token, and soft-rsa, soft-ec in a SoftHSM
#   there_and_back KEY DESCRIPTOR    opened by openssl, back in its token, then in SoftHSM, and from there in its token again;
#                                    $own_way, $soft_way, $back_way: how it is opened to get there, if not by the token alone

needs openssl
export PIN=1234
echo data >data
make_cert safe rsa:3072 issuer=self keyUsage=critical,keyEncipherment
cat safe.key safe.pem >safe.bundle

configure() {
    {
        echo '<engineSignEncrypt><descriptors>'
        echo '<descriptor name="Rsa"><type algorithm="SHA256withRSA" key="rsa"/></descriptor>'
        echo '<descriptor name="Ec"><type algorithm="SHA256withECDSA" key="ec"/></descriptor>'
        echo '</descriptors><keys>'
        for key in rsa ec plain; do
            echo "<key name='$key'><type name='HSM' locationValue='$1' alias='$key' pin.source='env:PIN' $2/></key>"
            echo "<key name='soft-$key'><type name='HSM' locationValue='$softhsm_module' tokenLabel='soft' alias='$key' pin.source='env:PIN'/></key>"
        done
        echo '</keys></engineSignEncrypt>'
    } >engine.xml
    export SIGNENGINE_CONFIG="$tmp/engine.xml"
}
there_and_back() {
    accepts signengine -q key backup "$1" -o "$1.backup" --to safe.pem
    accepts openssl cms -decrypt -inform PEM -in "$1.backup" -inkey safe.key -recip safe.pem -out "$1.der"
    accepts openssl pkey -inform DER -in "$1.der" -check -noout
    accepts signengine sign -d "$2" -o "$1.p7s" data
    accepts signengine key restore -v --dry-run "$1" "$1.backup" --recovery safe.bundle
    says 'which is the key that is there'
    says "${own_way:=by the token; of the backup only its file key was in clear}"
    accepts signengine key delete --force "$1"
    accepts signengine key restore -v "$1" "$1.backup" --recovery safe.bundle --exportable
    says "${own_way:=by the token; of the backup only its file key was in clear}"
    says 'may leave: yes'
    accepts signengine verify -d "$2" --signature "$1.p7s" data
    accepts signengine sign -d "$2" -o "$1.p7s" data
    accepts signengine key restore -v "soft-$1" "$1.backup" --recovery safe.bundle --exportable
    says "opened ${soft_way:-$own_way}"
    accepts signengine key backup "soft-$1" -o "soft-$1.backup" --to safe.pem
    accepts signengine key delete --force "$1"
    accepts signengine key restore -v "$1" "soft-$1.backup" --recovery safe.bundle --exportable
    says "opened ${back_way:-$own_way}"
    accepts signengine verify -d "$2" --signature "$1.p7s" data
    accepts signengine sign -d "$2" -o "$1.p7s" data
}
