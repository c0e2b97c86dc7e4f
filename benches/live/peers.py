"""What the whole sensor costs beside programs that compute a spectrum only, from the same simulated receiver.

The receiver hands out a recording as fast as it is read (a copy from memory), every program is pinned to the same
core, and rounds alternate. Equal resolution is that of emcon's burst detector at 20 MS/s: bins of 512. A peer's
start-up is taken out by running it on two lengths; emcon's by looking at it between two of its own reports.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

from ledger import Ledger
from processes import ROOT, program
import sense

RATE_HZ = 20_000_000
# spectrum::Layout::for_rate(20e6)
BINS = 512
# Two lengths, whole buffers of soapy_power.
LENGTHS = [400 * 262_144, 1600 * 262_144]
SYSTEM_PYTHON = "/usr/bin/python3"
QUIET = 'name = "Nobody there"\nseed = 7\nduration = 4.0\n[receiver]\nmodel = "hackrf"\ncenter = "2433M"\nrate = "20M"\n'


def recording(folder, name, scene):
    """A scene as a recording, made once."""
    out = folder / name
    meta = out.with_suffix(".sigmf-meta")
    if not meta.exists():
        subprocess.run([program(), "synth", scene, "-o", out], check=True, stdout=subprocess.DEVNULL)
    return meta


def recordings(folder):
    """An empty room, and the bundled meeting."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = folder / "quiet.toml"
    quiet.write_text(QUIET)
    return {"quiet": recording(folder, "quiet", quiet),
            "meeting": recording(folder, "meeting", ROOT / "config/scenes/meeting.toml")}


def device(meta):
    """Arguments for everybody."""
    return f"driver=emcon-sim,model=hackrf,pace=0,recording={meta}"


def whole_cpu_s(command, cpu):
    """CPU seconds of a program from its start to its end, threads and children included."""
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen([str(part) for part in command], stdout=nowhere, stderr=subprocess.PIPE,
                                   preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        errors = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors[-400:]}")
    return usage.ru_utime + usage.ru_stime


def slope(command_for, cpu):
    """CPU seconds per 1e9 samples of a program that is told how many to take."""
    short_s, long_s = (whole_cpu_s(command_for(length), cpu) for length in LENGTHS)
    more = LENGTHS[1] - LENGTHS[0]
    return {"cpu_s_per_1e9": round(1e9 * (long_s - short_s) / more, 1), "samples": more}


def soapy_power(meta):
    """The command for so many samples, buffers as fast as they go, one thread."""
    own = pathlib.Path(os.environ.get("SOAPY_POWER", ROOT / "target/peers/bin/soapy_power"))
    return lambda samples: [
        own, "-q", "-d", device(meta), "-f", "2433M", "-r", RATE_HZ, "-b", BINS, "-n", samples // BINS,
        "-s", 131072, "-S", 262144, "--max-threads", 1, "-F", "rtl_power"]


def gnuradio(meta):
    """The command for so many samples."""
    own = ROOT / "benches/peers/gnuradio_psd.py"
    return lambda samples: [SYSTEM_PYTHON, own, device(meta), RATE_HZ, BINS, samples]


def programs(metas, seconds):
    """Each by its name, as what gives a result on a core."""
    out = {f"emcon, {room}": lambda cpu, meta=meta: sense.cost(device(meta), ["--park", "2433M"], cpu, seconds)
           for room, meta in metas.items()}
    out["soapy_power 1.6.1"] = lambda cpu: slope(soapy_power(metas["meeting"]), cpu)
    out["GNU Radio 3.10"] = lambda cpu: slope(gnuradio(metas["meeting"]), cpu)
    return out


def spread(values):
    """Least, median, most."""
    return [round(x, 2) for x in (min(values), statistics.median(values), max(values))]


def main():
    """Measures the rounds that are missing, and prints what all say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each emcon run")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)))
    args = parser.parse_args()
    ledger = Ledger("peers")
    metas = recordings(pathlib.Path(os.environ.get("EMCON_SCENES", ROOT / "target/peers/scenes")))
    every = programs(metas, args.seconds)
    for number in range(1, args.rounds + 1):
        for name, measure in every.items():
            if not ledger.has(name, number):
                line = ledger.put(name, number, {"bins": BINS, **measure(args.cpu)})
                print(f"round {number}: {name}: {line['cpu_s_per_1e9']} CPU s per 1e9 samples", flush=True)
    costs = {name: {line["seed"]: line["cpu_s_per_1e9"] for line in ledger.lines()
                    if line["what"] == name and line["version"] == ledger.version} for name in every}
    own = [name for name in every if name.startswith("emcon")]
    print("\nCPU seconds per 1e9 samples, least, median, most:")
    for name in every:
        print(f"  {name}: {spread(costs[name].values())}")
    behind = False
    print("Times that a peer needs as much as the whole sensor, round by round:")
    for room in own:
        for peer in (name for name in every if name not in own):
            ratios = [costs[peer][number] / costs[room][number] for number in costs[room] if number in costs[peer]]
            behind |= statistics.median(ratios) < 1
            print(f"  {peer} / {room}: {spread(ratios)}")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
