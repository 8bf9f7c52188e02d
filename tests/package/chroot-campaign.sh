#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The packages in a bare Debian: built (twice, the same bytes), looked at by lintian, installed, used by somebody who has nothing else,
# upgraded, removed, purged, tried as autopkgtest does.
#
#   tests/package/chroot-campaign.sh ROOT FOLDER     as root, from a clone
#
# ROOT: a folder as "debootstrap --variant=minbase bookworm ROOT" leaves it, whose apt can install; nothing in it is changed.
# FOLDER: for three copies of it, for the packages and for what is told.
# shellcheck disable=SC2016 # the inner shells' "$"
set -eu

[ $# = 2 ] || { sed -n '3,/^# shellcheck/s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 64; }
top=$(cd "$(dirname "$0")/../.." && pwd)
root=$(cd "$1" && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)
version=$(cd "$top" && dpkg-parsechangelog -SVersion)
next=$version+next

say() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" && exit 1; }

# inside ROOT SCRIPT: a shell in a copy of the root, with processes, devices and terminals of its own
inside() {
    unshare --mount --pid --fork --mount-proc="$1/proc" sh -euc '
        mount --make-rprivate /
        mount -t proc proc "$0/proc"
        mount -t tmpfs tmpfs "$0/dev"
        mkdir "$0/dev/pts" "$0/dev/shm"
        chmod 1777 "$0/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts"
        ln -s pts/ptmx "$0/dev/ptmx"
        for device in null zero full random urandom tty; do
            touch "$0/dev/$device"
            mount --bind "/dev/$device" "$0/dev/$device"
        done
        ln -s /proc/self/fd "$0/dev/fd"
        for number in 0 1 2; do ln -s "/proc/self/fd/$number" "$0/dev/$(echo stdin stdout stderr | cut -d" " -f$((number + 1)))"; done
        cd "$0"
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot . sh -euc "$1"' "$1" "$2" </dev/null
}

# ---- built ----
build=$folder/build install=$folder/install
rm -rf "$build" "$install"
cp -a "$root" "$build"
git clone -q "$top" "$build/root/clone"
say "dependencies of the build"
inside "$build" 'apt-get update -qq && apt-get install -qq -y --no-install-recommends git lintian dpkg-dev fakeroot build-essential >/root/apt.log 2>&1 &&
    apt-get build-dep -qq -y --no-install-recommends /root/clone >>/root/apt.log 2>&1 || { tail -n 20 /root/apt.log; exit 1; }'
say "built, with its unit tests"
inside "$build" 'cd /root/clone && ./debian/build-packages.sh /root/first >/root/first.log 2>&1 || { tail -n 40 /root/first.log; exit 1; }
    grep -E "^# (PASS|FAIL|SKIP):" /root/first.log'
say "built again, elsewhere and otherwise"
inside "$build" 'cd /root/clone && umask 027 && export TZ=Asia/Tokyo LC_ALL=C HOME=/var/tmp DEB_BUILD_OPTIONS="nocheck parallel=2"
    ./debian/build-packages.sh /var/tmp/another/place >/root/second.log 2>&1 || { tail -n 40 /root/second.log; exit 1; }
    cd /root/first && for package in *.deb *.orig.tar.xz *.debian.tar.xz; do cmp "$package" /var/tmp/another/place/"$package"; echo "same bytes: $package"; done'
say "lintian"
inside "$build" 'cd /root/first && lintian --fail-on error,warning -I --pedantic *.changes'
say "the version after it"
inside "$build" "cd /root/clone && sed -i '1s/($version)/($next)/' debian/changelog && git -c user.name=x -c user.email=x commit -qam next &&
    DEB_BUILD_OPTIONS='nocheck parallel=2' ./debian/build-packages.sh /root/next >/root/next.log 2>&1 || { tail -n 40 /root/next.log; exit 1; }"

# ---- installed ----
cp -a "$root" "$install"
mkdir "$install/packages" "$install/next"
cp "$build"/root/first/*.deb "$build"/root/first/*.dsc "$build"/root/first/*.tar.xz "$install/packages"
cp "$build"/root/next/*.deb "$install/next"
rm -f "$install"/*/*-dbgsym_*.deb
# what is there, and what of it is of dpkg, apt and the like
list() {
    find "$install" -xdev \( -path "$install/proc" -o -path "$install/dev" -o -path "$install/packages" -o -path "$install/next" \
        -o -path "$install/tmp" -o -path "$install/var/lib/dpkg" -o -path "$install/var/lib/apt" -o -path "$install/var/cache" \
        -o -path "$install/var/log" \) -prune -o -print | sed "s|^$install||" | sort
    cut -d: -f1 "$install/etc/passwd" "$install/etc/group"
}
say "what ours need, first"
inside "$install" 'apt-get update -qq && apt-get install -qq -y --no-install-recommends autopkgtest curl gcc libc6-dev opensc openssl pkg-config postfix softhsm2 >/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; exit 1; }
    cd /packages && apt-get install -qq -y --no-install-recommends ./*.deb >>/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; exit 1; }
    apt-get purge -qq -y "signengine*" "libsignengine*" >/dev/null 2>&1
    useradd -m -d /srv/somebody somebody'
# which installs more than it says
tested=$folder/tested
rm -rf "$tested"
cp -a "$install" "$tested"
list >"$folder/before"
say "installed"
inside "$install" 'cd /packages && apt-get install -qq -y --no-install-recommends ./*.deb >/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; exit 1; }
    ls -ld /etc/signengine; id signengine'
[ "$(stat -c %a "$install/etc/signengine")" = 750 ] || fail "/etc/signengine is open"
say "quickstart, by somebody with nothing else"
inside "$install" 'cd /srv/somebody && setpriv --reuid somebody --regid somebody --clear-groups env HOME=/srv/somebody sh /usr/share/doc/signengine/examples/quickstart.sh &&
    rm -r quickstart'
# ---- upgraded ----
say "upgraded to $next: settings and keys stay"
inside "$install" 'cd /etc/signengine
    echo "# mine" >>signengined.conf
    echo "not for anybody" >key.pem
    chmod 600 key.pem
    chgrp root . && chmod 700 .
    sha256sum signengined.conf key.pem >/tmp/sums
    apt-get install -qq -y --no-install-recommends /next/*.deb >/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; exit 1; }
    sha256sum -c --quiet /tmp/sums
    [ "$(stat -c "%U:%G %a" .)" = "root:root 700" ]'
[ "$(chroot "$install" dpkg-query -W -f='${Version}' signengine)" = "$next" ] || fail "not upgraded"

# ---- removed ----
say "removed: settings stay; purged: a key stays, and it is said"
inside "$install" 'apt-get remove -qq -y "signengine*" "libsignengine*" >/dev/null 2>&1
    [ -e /etc/signengine/signengined.conf ] && [ ! -e /usr/bin/signengine ]
    apt-get purge -qq -y signengine signengine-milter signengined >/tmp/purge.log 2>&1
    grep "is not empty and stays" /tmp/purge.log
    [ "$(ls /etc/signengine)" = key.pem ] && id signengine >/dev/null'
say "purged: nothing is left"
inside "$install" 'rm /etc/signengine/key.pem
    cd /packages && apt-get install -qq -y --no-install-recommends ./*.deb >/dev/null 2>&1
    apt-get purge -qq -y "signengine*" "libsignengine*" >/tmp/purge.log 2>&1'
list >"$folder/after"
diff "$folder/before" "$folder/after" || fail "this is left, or gone"

# ---- tried as autopkgtest does ----
say "autopkgtest"
inside "$tested" 'cd /tmp && autopkgtest --no-built-binaries /packages/*.deb /packages/*.dsc -- null >/tmp/autopkgtest.log 2>&1 || { tail -n 60 /tmp/autopkgtest.log; exit 1; }
    sed -n "/summary/,\$p" /tmp/autopkgtest.log'
say "passed"
