#!/bin/sh
# Everything that must hold before a change lands, cheapest first.
set -eu

cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*" >&2; }

step "format"
cargo fmt --check

step "lints"
cargo clippy --locked --all-targets --quiet -- -D warnings

step "dependencies"
scripts/audit.sh

step "the simulated receiver, which tests listen to"
# Built as the tests are; they find it beside their program.
scripts/sim-module.sh --profile dev >/dev/null

step "tests, among them the commands of README.md"
# The test profile is optimised (Cargo.toml): signal processing would take minutes otherwise.
cargo test --locked
