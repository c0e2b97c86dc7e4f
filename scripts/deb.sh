#!/bin/sh
# Builds the Debian package of this tree into target/debian, and prints its path:
#
#     scripts/deb.sh [--program FILE] [--version VERSION]
#
# The program is a release build, or FILE. By dpkg's own tools: what cargo-deb adds would have to be compiled first, for
# minutes, and debhelper would have to build within Debian's archive, whose Rust is too old.
# The same tree gives the same bytes: times are those of the last commit.
set -eu

cd "$(dirname "$0")/.."
say() { printf 'emcon: %s\n' "$*" >&2; }
program=
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
while [ $# -gt 0 ]; do
    case "$1" in
        --program) program=$2; shift 2 ;;
        --version) version=$2; shift 2 ;;
        *) say "unknown argument $1: see the top of scripts/deb.sh"; exit 2 ;;
    esac
done
for tool in dpkg-deb dpkg-shlibdeps strip; do
    command -v "$tool" >/dev/null || { say "$tool is not here: apt-get install dpkg-dev binutils"; exit 1; }
done
target=${CARGO_TARGET_DIR:-$PWD/target}
if [ -z "$program" ]; then
    cargo build --release --locked --quiet
    program=$target/release/emcon
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

out=$target/debian
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root
umask 022

# put MODE FILE PATH
put() { install -D -m "$1" "$2" "$root/$3"; }
put 0755 "$program" usr/bin/emcon
strip --strip-unneeded "$root/usr/bin/emcon"
put 0644 systemd/emcon.service usr/lib/systemd/system/emcon.service
put 0644 systemd/emcon.sysusers usr/lib/sysusers.d/emcon.conf
put 0644 hardware/udev/70-emcon-sdr.rules usr/lib/udev/rules.d/70-emcon-sdr.rules
put 0644 hardware/modprobe/emcon-blacklist.conf usr/lib/modprobe.d/emcon-blacklist.conf
put 0644 config/emcon.toml usr/share/emcon/emcon.toml
put 0644 docs/config.schema.json usr/share/emcon/config.schema.json
put 0644 packaging/debian/conf.d.README etc/emcon/conf.d/README
for page in docs/*.md README.md; do
    put 0644 "$page" "usr/share/doc/emcon/$(basename "$page")"
done
put 0644 CHANGELOG.md usr/share/doc/emcon/changelog
gzip -9n "$root/usr/share/doc/emcon/changelog"
{
    sed '/@MIT@/,$d' packaging/debian/copyright
    sed 's/^$/./; s/^/ /' LICENSE-MIT
} >"$stage/copyright"
put 0644 "$stage/copyright" usr/share/doc/emcon/copyright

# What is generated from the definition of the command line, by the very program that is packaged.
mkdir -p "$root/usr/share/man/man1"
"$program" man >"$root/usr/share/man/man1/emcon.1"
for verb in $("$program" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' | grep -v '^help$'); do
    "$program" man "$verb" >"$root/usr/share/man/man1/emcon-$verb.1"
done
gzip -9n "$root"/usr/share/man/man1/*
completions() { "$program" completions "$1" >"$stage/completions" && put 0644 "$stage/completions" "$2"; }
completions bash usr/share/bash-completion/completions/emcon
completions zsh usr/share/zsh/vendor-completions/_emcon
completions fish usr/share/fish/vendor_completions.d/emcon.fish

# dpkg-shlibdeps wants to see a source package.
mkdir -p "$stage/debian"
printf 'Source: emcon\n\nPackage: emcon\nArchitecture: any\n' >"$stage/debian/control"
libraries=$(cd "$stage" && dpkg-shlibdeps -O -e"$root/usr/bin/emcon" 2>"$stage/said" | sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || { cat "$stage/said" >&2; say "dpkg-shlibdeps found no libraries: is $program a program?"; exit 1; }

mkdir -p "$root/DEBIAN"
for script in postinst prerm postrm; do
    put 0755 "packaging/debian/$script" "DEBIAN/$script"
done
printf '/etc/emcon/conf.d/README\n' >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<END
Package: emcon
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: ${DEBFULLNAME:-emcon} <${DEBEMAIL:-root@localhost}>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f 1)
Depends: $libraries, systemd (>= 245), init-system-helpers
Recommends: udev, soapysdr0.8-module-rtlsdr | soapysdr-module-rtlsdr, soapysdr0.8-module-hackrf | soapysdr-module-hackrf
Suggests: soapysdr-tools
Section: hamradio
Priority: optional
Description: guard of a meeting room's ban on wireless devices
 emcon listens with a software-defined radio (an RTL-SDR or a HackRF), recognises phones, walkie-talkies, wireless
 microphones and other emitters, and alerts the organizer of a confidential meeting at once, with the reason. When it
 cannot see, it says so.
 .
 It never transmits, and never demodulates what it hears.
END
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -print0 | sort -z | xargs -0 md5sum | sed 's, \./, ,' >DEBIAN/md5sums)
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$out"
package=$out/emcon_${version}_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >&2
printf '%s\n' "$package"
