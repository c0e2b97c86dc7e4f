#!/bin/sh
# Builds the simulated receiver and puts its module alone into a folder, since SoapySDR loads every library of a
# folder that it is pointed at. Arguments go to cargo, as `--profile dev`; the folder is printed:
#
#     SOAPY_SDR_PLUGIN_PATH=$(scripts/sim-module.sh) SoapySDRUtil --probe=driver=emcon-sim
#
set -eu

cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- --release
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --locked --quiet --package emcon-sim "$@"
case "$*" in
    *--release*) built=$target/release ;;
    *) built=$target/debug ;;
esac
mkdir -p "$target/soapy"
# Renamed into place: a program that has the old one loaded keeps it.
cp "$built/libemcon_sim.so" "$target/soapy/libemcon_sim.so.new"
mv "$target/soapy/libemcon_sim.so.new" "$target/soapy/libemcon_sim.so"
printf '%s\n' "$target/soapy"
