#!/bin/sh
# What the whole sensor costs beside soapy_power and GNU Radio on the same simulated receiver: CPU time per sample, in
# alternating rounds, appended to docs/figures/peers.jsonl. Rounds that were measured for these sources are not measured
# again. Installs what it needs: from Debian, and soapy_power into target/peers. Arguments: --rounds N, --seconds S.
#
# PIP_FIND_LINKS may name a folder with the three packages.
set -eu

cd "$(dirname "$0")/.."
say() { printf 'emcon: %s\n' "$*" >&2; }

# Peers use Debian's Python: GNU Radio's and SoapySDR's bindings are made for it.
python=/usr/bin/python3
missing=
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3 python3-venv"
"$python" -c 'import SoapySDR' 2>/dev/null || missing="$missing python3-soapysdr"
"$python" -c 'import numpy, scipy' 2>/dev/null || missing="$missing python3-numpy python3-scipy"
"$python" -c 'import gnuradio.soapy' 2>/dev/null || missing="$missing gnuradio"
if [ -n "$missing" ]; then
    say "installing from Debian:$missing"
    root=
    [ "$(id -u)" = 0 ] || root=sudo
    # shellcheck disable=SC2086 # Words are wanted.
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >&2 || {
        say "please install:$missing"
        exit 1
    }
fi
tools=$PWD/target/peers
if ! [ -x "$tools/bin/soapy_power" ]; then
    say "installing soapy_power into target/peers"
    "$python" -m venv --clear --system-site-packages "$tools" >&2
    "$tools/bin/pip" install -q --no-deps soapy_power==1.6.1 SimpleSoapy==1.5.1 SimpleSpectral==1.0.0 >&2
fi

cargo build --release --locked --quiet
SOAPY_SDR_PLUGIN_PATH=$(scripts/sim-module.sh)
export SOAPY_SDR_PLUGIN_PATH
exec "$python" -B benches/live/peers.py "$@"
