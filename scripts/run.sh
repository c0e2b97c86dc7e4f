#!/bin/sh
# The tour: the bundled synthetic meeting becomes a recording, and the recording a verdict.
set -eu

cd "$(dirname "$0")/.."
scene=config/scenes/meeting.toml
out=target/meeting

printf 'emcon: building\n' >&2
cargo build --release --locked --quiet
mkdir -p "$out"

printf '\n$ emcon synth %s --output %s\n' "$scene" "$out/meeting" >&2
target/release/emcon synth "$scene" --output "$out/meeting"

printf '\n$ emcon replay --waterfall %s %s\n' "$out/meeting.png" "$out/meeting.sigmf-meta" >&2
status=0
target/release/emcon replay --waterfall "$out/meeting.png" "$out/meeting.sigmf-meta" || status=$?

case $status in
    0) printf '\nemcon: exit 0, no alert was raised\n' >&2 ;;
    3) printf '\nemcon: exit 3, an alert was raised, as it should be in this meeting\n' >&2 ;;
    *) exit "$status" ;;
esac
printf 'emcon: the picture is %s\n' "$out/meeting.png" >&2
