#!/bin/sh
# Everything that must hold before a change lands, cheapest first.
set -eu

cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*" >&2; }

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

step "dependencies"
scripts/audit.sh

step "the simulated receiver, as a module that SoapySDR loads"
# A release build: it must keep up with 20 million samples a second, which the test profile does not.
EMCON_SIM_MODULE=$(scripts/sim-module.sh)/libemcon_sim.so
export EMCON_SIM_MODULE

step "tests, among them the commands of README.md"
# The test profile is optimised (Cargo.toml): signal processing would take minutes otherwise.
cargo test --locked --workspace
