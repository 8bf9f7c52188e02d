#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What packages are made of, as the tools of those who read it see it: units, AppArmor profiles, the RPM spec, debian/.
# tests/package/chroot-campaign.sh builds and uses them.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs rpmlint rpmspec systemd-analyze apparmor_parser

# ---- one version ----
version=$(sed -n 's/^AC_INIT(\[signengine\], \[\(.*\)\])/\1/p' "$top_srcdir/configure.ac")
accepts head -n 1 "$top_srcdir/debian/changelog"
says "signengine ($version-"
accepts rpmspec -q --srpm --qf '%{version}\n' "$top_srcdir/signengine.spec"
says "$version"
accepts head -n 1 "$top_srcdir/NEWS"
says "$version"

# ---- the spec ----
accepts rpmlint -r "$top_srcdir/signengine.rpmlintrc" "$top_srcdir/signengine.spec"
says '0 errors, 0 warnings'

# ---- units: what systemd says of them, and how much they may ----
for program in signengine signengined signengine-milter; do
    cp /usr/bin/true $program
done
for unit in "$top_srcdir"/conf/*.service "$top_srcdir"/conf/*.socket "$top_srcdir"/conf/*.timer; do
    sed -E "s#(/usr)?/s?bin/(signengined|signengine-milter|signengine)#$tmp/\\2#" "$unit" >"${unit##*/}"
done
for unit in *.service *.timer; do
    accepts systemd-analyze verify --man=no "./$unit"
    [ ! -s "$err" ] || fail "$unit: systemd has something to say: $(cat "$err")"
done
for unit in *.service; do
    accepts systemd-analyze security --offline=true --threshold=20 "./$unit"
done
others_refuse systemd-analyze security --offline=true --threshold=5 ./signengined.service

# ---- profiles ----
cp -r /etc/apparmor.d profiles
cp "$top_srcdir/conf/apparmor/signengine" profiles/abstractions
for profile in usr.sbin.signengined usr.sbin.signengine-milter; do
    accepts apparmor_parser --base "$tmp/profiles" --skip-kernel-load --skip-cache "$top_srcdir/conf/apparmor/$profile"
done
sed 's/^  capability setuid,/  capability colour,/' "$top_srcdir/conf/apparmor/usr.sbin.signengined" >broken
others_refuse apparmor_parser --base "$tmp/profiles" --skip-kernel-load --skip-cache broken

# ---- debian/ ----
accepts find "$top_srcdir/debian" -xtype l
[ ! -s "$out" ] || fail 'links that lead nowhere'
# shellcheck disable=SC2016 # perl's
accepts perl -MDpkg::Control::Info -e 'Dpkg::Control::Info->new($ARGV[0])->get_packages() or exit 1' "$top_srcdir/debian/control"
