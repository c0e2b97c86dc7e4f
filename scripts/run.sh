#!/bin/sh
# The tour: the bundled synthetic meeting becomes a recording, and the recording a verdict.
set -eu

cd "$(dirname "$0")/.."
scene=config/scenes/meeting.toml
out=target/meeting

printf 'emcon: building\n' >&2
cargo build --release --locked --quiet
mkdir -p "$out"

# Says what it runs, then runs it.
emcon() {
    printf '\n$ emcon %s\n' "$*" >&2
    target/release/emcon "$@"
}

emcon synth "$scene" -o "$out/meeting"
status=0
# The first second of the scene is the room as it always is.
emcon replay --learn 1 --waterfall "$out/meeting.png" "$out/meeting.sigmf-meta" || status=$?

case $status in
    0) printf '\nemcon: exit 0: no alert, though this meeting has devices: please report it\n' >&2; exit 1 ;;
    3) printf '\nemcon: exit 3, an alert was raised, as it should be in this meeting\n' >&2 ;;
    *) exit "$status" ;;
esac
printf 'emcon: the picture is %s\n' "$out/meeting.png" >&2
