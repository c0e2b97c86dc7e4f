#!/bin/sh
# Dependencies against deny.toml: bans, licences and sources; with --advisories, published advisories too.
# Where cargo-deny or the advisory database cannot be had, says so and succeeds: a missing tool is no fault of
# the tree.
set -eu

cd "$(dirname "$0")/.."
skip() { printf 'emcon: SKIPPED: %s\n' "$*" >&2; }

if ! cargo deny --version >/dev/null 2>&1; then
    skip "cargo-deny is not here and could not be installed; dependencies were NOT checked"
    exit 0
fi
# The graph spans all target platforms, so their crates must be here before going offline.
cargo fetch --locked --quiet
cargo deny --log-level warn --offline check --hide-inclusion-graph bans licenses sources

[ "${1:-}" = --advisories ] || exit 0
if cargo deny --log-level error fetch db; then
    cargo deny --log-level warn check --hide-inclusion-graph advisories
else
    skip "the advisory database could not be fetched; advisories were NOT checked"
fi
