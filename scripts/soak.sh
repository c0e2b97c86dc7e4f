#!/bin/sh
# The live sensor and the room, on a simulated receiver, for long: nothing lost (sustained), nothing leaked (replug), no
# fault unsaid (faults), nothing forgotten by who is killed (killed), nobody late of a thousand who listen (clients). Results go to docs/figures/soak.jsonl; what was measured for these sources is not measured again:
# interrupt it when you like. Arguments: any of those names, --short, --minutes M, --cycles N, --times N, --row R;
# see benches/live/soak.py.
set -eu

cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
SOAPY_SDR_PLUGIN_PATH=$(scripts/sim-module.sh)
export SOAPY_SDR_PLUGIN_PATH
exec python3 -B benches/live/soak.py "$@"
