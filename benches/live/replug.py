"""Unplugs and replugs the simulated receiver again and again: both processes must be as before."""

import statistics
import time

from processes import Run, descriptors, naming, rss_kib

# Growth of memory that is none, kibibytes.
GROWTH_KIB = 2048
# Cycles until all that is made once is made.
WARM_UP = 3
# Time to see again after the receiver is back, seconds.
RECOVER_S = 10.0


def state(run):
    """Descriptors and memory of both processes."""
    sensor = run.sensor()
    return {"room_fds": descriptors(run.pid), "sensor_fds": descriptors(sensor),
            "room_rss_kib": rss_kib(run.pid), "sensor_rss_kib": rss_kib(sensor), "sensor_pid": sensor}


def settled(run):
    """The same once the history of raw samples is full again and memory is at rest."""
    time.sleep(4.0)
    return state(run)


def cycle(run, away_s):
    """One: seconds from the receiver's return until it is not blind, and whether it noticed at all."""
    begin = time.monotonic()
    answer = run.send(f"vanish for {away_s}s")
    if not answer.startswith("ok"):
        raise RuntimeError(f"vanish: {answer}")
    back = begin + away_s
    blind = run.wait(lambda e: e["event"] == "health" and e["state"] == "blind", begin, back + 4.0)
    if blind is None:
        return None, False
    seen = run.wait(lambda e: e["event"] == "health" and e["state"] != "blind", blind[0], back + 3 * RECOVER_S)
    return (seen[0] - back if seen else None), True


def measure(away_s, cycles, progress):
    """So many cycles; what came of them."""
    times, noticed, done, pids = [], 0, 0, set()
    with Run(args=["--park", "2433M"]) as run:
        if run.wait_ok(30) is None:
            return {"passed": False, "why": "never saw"}
        for _ in range(WARM_UP):
            cycle(run, min(away_s, 0.5))
        before = settled(run)
        try:
            for done in range(1, cycles + 1):
                seconds, saw = cycle(run, away_s)
                noticed += saw
                pids.add(run.sensor())
                if seconds is not None:
                    times.append(seconds)
                # What left the state alone must be over before the next begins.
                run.wait_ok(RECOVER_S)
                if done % 20 == 0:
                    progress(f"{done} of {cycles} cycles, {len(times)} recovered")
        except KeyboardInterrupt:
            progress("interrupted: what was done counts")
        after = settled(run)
        control, alive = run.control, run.alive()
        status = run.stop()
        left = naming(control)
    return verdict(before, after, times, noticed, done, cycles, alive and status is not None and not left, len(pids))


def verdict(before, after, times, noticed, done, cycles, ended_well, processes):
    """The figures, and whether they are as they must be."""
    growth = {who: after[f"{who}_rss_kib"] - before[f"{who}_rss_kib"] for who in ("room", "sensor")}
    fds = {who: after[f"{who}_fds"] - before[f"{who}_fds"] for who in ("room", "sensor")}
    leak = any(kib > GROWTH_KIB for kib in growth.values()) or any(more > 0 for more in fds.values())
    slow = bool(times) and max(times) > RECOVER_S
    return {
        "passed": bool(done and len(times) == done and not leak and not slow and ended_well),
        "complete": done == cycles, "cycles": done, "noticed": noticed, "recovered": len(times),
        "recover_s": [round(statistics.median(times), 2), round(max(times), 2)] if times else None,
        "growth_kib": growth, "fds_more": fds, "sensor_processes": processes, "ended_well": ended_well,
        "before": before, "after": after,
    }
