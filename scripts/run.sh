#!/bin/sh
# The demonstration: a confidential meeting in a simulated room, on a page of this machine.
set -eu

cd "$(dirname "$0")/.."
printf 'emcon: building\n' >&2
cargo build --release --locked --quiet
scripts/sim-module.sh >/dev/null
exec "${CARGO_TARGET_DIR:-target}/release/emcon" demo "$@"
