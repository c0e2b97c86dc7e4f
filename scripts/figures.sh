#!/bin/sh
# Measures and writes docs/detection.md, docs/intercept.md, docs/performance.md and docs/scenarios.md. What has been measured for this
# version of the sources is not measured again: interrupt it when you like. Arguments go to the measuring program, as
# `scripts/figures.sh noise --seeds 2`; see benches/figures/main.rs.
set -eu

cd "$(dirname "$0")/.."
exec cargo bench --locked --quiet --bench figures -- "$@"
