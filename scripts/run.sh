#!/bin/sh
# The demonstration: a confidential meeting in a simulated room, on a page of this machine.
set -eu

cd "$(dirname "$0")/.."
printf 'emcon: building\n' >&2
# Both at once, so that what they share is built once.
cargo build --release --locked --quiet --package emcon --package emcon-sim
scripts/sim-module.sh >/dev/null
exec "${CARGO_TARGET_DIR:-target}/release/emcon" demo "$@"
