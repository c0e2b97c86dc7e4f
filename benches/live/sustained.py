"""The whole pipeline at a HackRF's rate for minutes: nothing lost, and what it takes."""

import pathlib
import time

from processes import ROOT, Run, cpu_s, rss_kib, threads_cpu_s, waited_s

# A sensor whose threads waited so much of the time for a core, per cent, was not measured: the machine was.
BUSY_PERCENT = 20.0

# The first seconds are opening, and filling the history of raw samples.
SETTLED_S = 5.0


def scene(path):
    """A busy room at 2.4 GHz that never ends: the bundled meeting's emitters, on all the time."""
    text = (ROOT / "config/scenes/meeting.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("on = ")]
    path.write_text("\n".join(lines).replace("duration = 4.0", "duration = 36000.0") + "\n")
    return path


def sources(folder):
    """The same room rendered as it is heard, and as a recording of its meeting."""
    from peers import recordings
    rendered = scene(pathlib.Path(folder) / "busy.toml")
    meta = recordings(pathlib.Path(folder))["meeting"]
    return {"rendered": f",scene={rendered}", "recorded": f",recording={meta}"}


def named(threads):
    """Threads by what they do: the first captures (and renders), the busiest other looks."""
    numbers = sorted(threads)
    others = sorted(numbers[1:], key=lambda number: -threads[number])
    out = {"capture": threads[numbers[0]]}
    if others:
        out["look"] = threads[others[0]]
    out["rest"] = sum(threads[number] for number in others[1:])
    return out


def measure(source, args, seconds, lenient=False):
    """Runs so long; shares of a core, memory, and what was lost. A busy machine's losses count unless `lenient`."""
    with Run(source, args) as run:
        if run.wait_ok(60) is None:
            return {"passed": False, "why": "never saw: " + run.said()[-300:]}
        time.sleep(SETTLED_S)
        sensor = run.sensor()
        begin, before = time.monotonic(), (cpu_s(run.pid), cpu_s(sensor), threads_cpu_s(sensor), waited_s(sensor))
        health_since, most = time.monotonic(), [0, 0]
        while time.monotonic() - begin < seconds and run.alive():
            time.sleep(1.0)
            most = [max(known, rss_kib(pid)) for known, pid in zip(most, (run.pid, sensor))]
        took = time.monotonic() - begin
        after = (cpu_s(run.pid), cpu_s(sensor), threads_cpu_s(sensor), waited_s(sensor))
        blinks = [event["reason"] for _, event in run.of("health", health_since) if event["state"] != "ok"]
        status = run.stop()
        counts = run.samples()
    share = {key: round(100 * (after[2].get(key, 0) - value) / took, 1) for key, value in before[2].items()}
    missing = {key: counts.get(key) for key in ("lost", "dropped", "shed", "overflows", "restarts", "repeated")}
    waited = round(100 * (after[3] - before[3]) / took, 1)
    passed = status is not None and not any(missing.values()) and not blinks
    return {
        "passed": None if not passed and lenient and waited > BUSY_PERCENT else passed,
        "seconds": round(took, 1), "received": counts.get("received"), "settled": counts.get("settled"),
        "missing": missing, "not_ok": blinks[:5], "exit": status,
        "cpu_percent": {"room": round(100 * (after[0] - before[0]) / took, 1),
                        "sensor": round(100 * (after[1] - before[1]) / took, 1), **named(share)},
        # Ready to run and without a core: a figure of the machine. Where it is large, so is what is missing.
        "waited_percent": waited,
        "rss_mib": {"room": round(most[0] / 1024, 1), "sensor": round(most[1] / 1024, 1)},
        "latency_ms": counts.get("latency_ms"),
    }
