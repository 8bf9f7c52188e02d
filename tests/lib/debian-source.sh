# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# Source packages of Debian, from the mirror that this machine is set up with: test data that is not ours to copy.
#
#   debian_source PACKAGE...   unpacks each to $tmp/PACKAGE, or skips the test; the archives stay in the build folder for the next run
#
# apt works on lists of its own and verifies what it fetches; nothing of the machine's is changed.

archives=${top_builddir:?}/tests/lib/sources

# "URI CODENAME" of the main archive
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        sed -n '/-\(updates\|security\|backports\) /d; s:\(.*/debian\)/\{0,1\} \([a-z]*\) main$:\1 \2:p' | head -n 1
}

debian_apt() {
    timeout 120 apt-get -qq -o Dir::Etc::SourceList="$tmp/.apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$tmp/.apt/state" \
        -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$tmp/.apt/cache" -o Acquire::Languages=none -o Acquire::Retries=1 \
        -o Acquire::http::Timeout=20 -o APT::Sandbox::User= "$@" >"$tmp/.apt/said" 2>&1 </dev/null
}

debian_fetch() {
    needs apt-get
    mirror=$(debian_mirror)
    [ "$mirror" ] || skip 'this machine is set up with no mirror of Debian'
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mkdir -p "$tmp/.apt/state/lists/partial" "$tmp/.apt/cache/archives/partial" "$archives"
    echo "deb-src $([ -e $keys ] && echo "[signed-by=$keys]") $mirror main" >"$tmp/.apt/sources.list"
    debian_apt update || skip "no mirror of Debian can be reached: $(tail -n 1 "$tmp/.apt/said")"
    for package; do
        (cd "$archives" && debian_apt --download-only source "$package") ||
            skip "the mirror does not hand out the source of $package: $(tail -n 1 "$tmp/.apt/said")"
    done
}

debian_source() {
    for package; do
        ls "$archives/${package}"_*.orig.tar.* >/dev/null 2>&1 || debian_fetch "$package"
        mkdir "$tmp/$package"
        setup tar -x -f "$(find "$archives" -name "${package}_*.orig.tar.*z*" | sort | tail -n 1)" -C "$tmp/$package" --strip-components=1
    done
}
