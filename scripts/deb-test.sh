#!/bin/sh
# Installs, upgrades, removes and purges the Debian package in a scratch root, and looks at what is there after each:
#
#     scripts/deb-test.sh [--program FILE]
#
# Nothing of the machine is touched: dpkg works in a folder (--root), its scripts without a chroot. Needs root.
set -eu

cd "$(dirname "$0")/.."
say() { printf 'emcon: %s\n' "$*" >&2; }
fail() { say "FAILED: $*"; exit 1; }
if [ "$(id -u)" != 0 ]; then
    say "SKIPPED: not root; installing, upgrading and purging were NOT tried"
    exit 0
fi
for tool in dpkg dpkg-deb dpkg-shlibdeps systemd-sysusers deb-systemd-helper; do
    command -v "$tool" >/dev/null || { say "SKIPPED: $tool is not here; the package was NOT tried"; exit 0; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/etc" "$root/var/log"
touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"

old=$(scripts/deb.sh "$@" --version 0.0.1)
again=$(sha256sum <"$old")
old=$(scripts/deb.sh "$@" --version 0.0.1)
[ "$again" = "$(sha256sum <"$old")" ] || fail "the same tree gave two different packages"
new=$(scripts/deb.sh "$@" --version 0.0.2)

# Libraries are those of this machine, not of the scratch root: hence --force-depends.
in_root() { dpkg --root="$root" --force-script-chrootless --force-depends --no-triggers "$@" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; fail "dpkg $*"; }; }
# A link counts by itself: what it names is beyond the scratch root.
there() { [ -e "$root/$1" ] || [ -L "$root/$1" ]; }
has() { for path in "$@"; do there "$path" || fail "$path is not there"; done; }
lacks() { for path in "$@"; do ! there "$path" || fail "$path is there"; done; }
version() { dpkg-query --root="$root" -W -f '${Version}' emcon; }

say "what the package says"
case "$(dpkg-deb -f "$old" Depends)" in
    *libsoapysdr0*) ;;
    *) fail "it does not depend on SoapySDR's library: $(dpkg-deb -f "$old" Depends)" ;;
esac
# Nothing in it may belong to whoever built it, or be open to write for others.
dpkg-deb -c "$old" | awk '$2 != "root/root" || $1 ~ /^[^l].......w/ { print; bad = 1 } END { exit bad }' || fail "owners or modes"

say "install"
in_root -i "$old"
[ "$(version)" = 0.0.1 ] || fail "version $(version)"
has usr/bin/emcon usr/lib/systemd/system/emcon.service usr/share/emcon/emcon.toml etc/emcon/conf.d/README \
    usr/lib/udev/rules.d/70-emcon-sdr.rules usr/share/man/man1/emcon-run.1.gz usr/share/doc/emcon/copyright \
    usr/share/bash-completion/completions/emcon etc/systemd/system/multi-user.target.wants/emcon.service
grep -q '^emcon:' "$root/etc/passwd" || fail "there is no user emcon"
"$root/usr/bin/emcon" config check --config "$root/usr/share/emcon/emcon.toml" >/dev/null || fail "the default configuration"
gzip -cd "$root/usr/share/man/man1/emcon-config.1.gz" | grep -q 'JSON Schema' || fail "man page of config"

# What a site has by the time of an upgrade: records, a secret, its own drop-in.
mkdir -p "$root/var/lib/emcon"
echo records >"$root/var/lib/emcon/emcon.db"
echo 'region = "eu"' >"$root/etc/emcon/conf.d/10-site.toml"
echo changed >>"$root/etc/emcon/conf.d/README"

say "upgrade"
in_root --force-confold -i "$new"
[ "$(version)" = 0.0.2 ] || fail "version $(version)"
has var/lib/emcon/emcon.db etc/emcon/conf.d/10-site.toml
[ "$(cat "$root/var/lib/emcon/emcon.db")" = records ] || fail "records changed"
grep -q changed "$root/etc/emcon/conf.d/README" || fail "what the site changed was overwritten"

say "remove"
in_root -r emcon
lacks usr/bin/emcon usr/lib/systemd/system/emcon.service
has var/lib/emcon/emcon.db etc/emcon/conf.d/10-site.toml

say "purge"
in_root -P emcon
lacks var/lib/emcon etc/emcon etc/systemd/system/multi-user.target.wants/emcon.service
say "the package installs, upgrades, and leaves nothing behind"
