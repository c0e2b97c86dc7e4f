"""Long measurements of the live sensor and the room: sustained, replug, faults, killed, clients. See scripts/soak.sh."""

import argparse
import signal
import sys
import tempfile

import faults
import replug
import room
import sustained
from ledger import Ledger


def say(text):
    """What goes on, for who waits."""
    print(text, flush=True)


def once(ledger, what, seed, measure):
    """A result, from the ledger if it is there."""
    if ledger.has(what, seed):
        line = next(line for line in reversed(ledger.lines())
                    if (line["what"], line["seed"], line["version"]) == (what, seed, ledger.version))
        say(f"known   {what}")
        return line
    line = ledger.put(what, seed, measure())
    say(f"{WORDS[line['passed']]}  {what}: " + ", ".join(
        f"{key} {value}" for key, value in line.items() if key not in SILENT))
    return line


WORDS = {True: "passed", False: "FAILED", None: "n/a   "}

# Of every line, and of no interest while measuring.
SILENT = {"what", "seed", "version", "commit", "cpu", "cores", "load", "profile", "passed", "before", "after"}


def run_sustained(ledger, args):
    """Both sources, staying and sweeping."""
    seconds = args.minutes * 60 if args.minutes else (20 if args.short else 600)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="emcon-soak-") as folder:
        sources = sustained.sources(args.scenes or folder)
        ways = {"parked": ["--park", "2433M"], "sweeping": []}
        wanted = [("recorded", "parked")] if args.short else [(s, w) for w in ways for s in sources]
        for source, way in wanted:
            what = f"sustained/{source}, {way}, {seconds:.0f} s"
            line = once(ledger, what, 1, lambda: sustained.measure(sources[source], ways[way], seconds, args.short))
            failed += line["passed"] is False
    return failed


def run_replug(ledger, args):
    """Short absences and long ones."""
    failed = 0
    plans = [(0.5, 3 if args.short else args.cycles or 1000)]
    if not args.short and not args.cycles:
        plans.append((10.0, 20))
    for away_s, cycles in plans:
        what = f"replug/{cycles} of {away_s} s"
        line = once(ledger, what, 1, lambda: replug.measure(away_s, cycles, say))
        failed += not line["passed"]
    return failed


def run_faults(ledger, args):
    """Every row."""
    failed = 0
    times = 1 if args.short else args.times
    for row in faults.ROWS:
        if args.row and str(row.number) not in args.row or args.short and not row.quick:
            continue
        line = once(ledger, f"faults/{row.number} {row.name}", times, lambda: faults.measure(row, times))
        failed += line["passed"] is False
    return failed


def run_killed(ledger, args):
    """Either process, at random moments of a meeting."""
    times = 4 if args.short else args.times if args.times_given else 200
    return once(ledger, f"killed/{times} times", 1, lambda: room.measure_killed(times, say))["passed"] is False


def run_clients(ledger, args):
    """Those who listen, and those who do not."""
    live, stalled, alerts = (90, 10, 5) if args.short else (900, 100, 40)
    what = f"clients/{live} and {stalled} stalled, {alerts} alerts"
    return once(ledger, what, 1, lambda: room.measure_clients(live, stalled, alerts))["passed"] is False


PARTS = {"sustained": run_sustained, "replug": run_replug, "faults": run_faults, "killed": run_killed,
         "clients": run_clients}


def main():
    """Runs the parts that are wanted; fails if one did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="sustained, replug, faults, killed, clients: all if none is named")
    parser.add_argument("--short", action="store_true", help="the form for every change: seconds instead of hours")
    parser.add_argument("--minutes", type=float, help="of each sustained run")
    parser.add_argument("--cycles", type=int, help="of replugging, half a second each")
    parser.add_argument("--times", type=int, help="each fault so often (5), or kills (200)")
    parser.add_argument("--row", action="append", help="only this row of the faults")
    parser.add_argument("--scenes", help="folder for recordings that are kept")
    args = parser.parse_args()
    args.times_given, args.times = args.times is not None, args.times or 5
    if unknown := set(args.what) - set(PARTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    # Who is told to end does as if interrupted: what it started is ended, what was done counts.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ledger = Ledger("soak")
    failed = sum(run(ledger, args) for name, run in PARTS.items() if not args.what or name in args.what)
    if failed:
        say(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
