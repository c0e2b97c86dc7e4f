"""Faults of the receiver, injected while `emcon run` guards: what it must say, and within what time.

The rows are those of the table of receiver faults in the design, by their numbers. A row that the product does not
know fails; one that no integer stream can have is said to be not injectable, and counts as neither.
"""

import dataclasses
import os
import subprocess
import tempfile
import time
import typing

from processes import ROOT, Run, cpu_s, naming, program

BAD = ("degraded", "blind")
BLIND = ("blind",)
# Longest wait beyond a limit, so that the time it took is known all the same.
PATIENCE_S = 6.0
# Time in which it must be well before a fault.
REST_S = 1.0
RECOVER_S = 10.0
MS_HACKRF = 20e6
MS_RTL = 2.4e6


@dataclasses.dataclass(frozen=True)
class Row:
    """A fault, and what must come of it."""

    number: str
    name: str
    verbs: typing.Sequence[str] = ()
    states: typing.Sequence[str] = BLIND
    words: typing.Sequence[str] = ()
    tamper: bool = False
    limit_s: float = 2.0
    # From the end of the fault to sight. The fault ends by `clear`, or by itself after so many seconds.
    recover_s: float = RECOVER_S
    over_s: float | None = None
    # From onset to another process of the sensor.
    respawn_s: float | None = None
    hold_s: float = 0.0
    # What it may take of a core meanwhile.
    cpu_percent: float | None = None
    model: str = "hackrf"
    args: typing.Sequence[str] = ()
    source: str = ""
    stderr: str = ""
    quick: bool = False
    # Limits in sweeps instead of seconds.
    sweeps: float | None = None
    # A measurement of its own, in the place of all that.
    own: typing.Callable[["Row"], dict] | None = None


def matches(row, event):
    """Whether a health event says what the row wants."""
    return event["event"] == "health" and any(
        (condition["state"] in row.states or row.tamper)
        and (not row.words or any(word in condition["reason"] for word in row.words))
        and (condition["tamper"] or not row.tamper)
        for condition in event["conditions"])


def seen(run, since):
    """What health said since then, in short."""
    return [f"{event['state']}: {event['reason']}" if event["reason"] else event["state"]
            for _, event in run.of("health", since)]


def rested(run, timeout_s=30.0):
    """Waits until it has been well for a while."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and run.alive():
        if run.is_ok() and time.monotonic() - run.of("health")[-1][0] >= REST_S:
            return True
        time.sleep(0.05)
    return False


def new_sensor(run, old, until):
    """When another process of the sensor was there."""
    while time.monotonic() < until:
        now = run.sensor()
        if now is not None and now != old:
            return time.monotonic()
        time.sleep(0.02)
    return None


def inject(row, run):
    """Once: times, and what was not as it must be."""
    wrong = []
    limit_s = row.limit_s
    if row.sweeps:
        limit_s = row.sweeps * run.of("sensor")[-1][1]["superframe_s"]
    sensor, begin = run.sensor(), time.monotonic()
    for verb in row.verbs:
        if not (answer := run.send(verb)).startswith("ok"):
            wrong.append(f"{verb}: {answer}")
    used = cpu_s(sensor) if row.cpu_percent else None
    found = run.wait(lambda event: matches(row, event), begin, begin + limit_s + PATIENCE_S)
    onset_s = found and found[0] - begin
    if onset_s is None:
        wrong.append(f"not told in {limit_s + PATIENCE_S:.1f} s; health said {seen(run, begin)[:5] or 'nothing'}")
    elif onset_s > limit_s:
        wrong.append(f"told after {onset_s:.2f} s, not {limit_s:.1f}")
    if used is not None and (now := cpu_s(sensor)) is not None:
        share = 100 * (now - used) / (time.monotonic() - begin)
        if share > row.cpu_percent:
            wrong.append(f"{share:.0f} % of a core")
    respawn_s = None
    if row.respawn_s:
        when = new_sensor(run, sensor, begin + row.respawn_s + PATIENCE_S)
        respawn_s = when and when - begin
        if respawn_s is None or respawn_s > row.respawn_s:
            wrong.append(f"a new sensor after {respawn_s} s")
    if row.hold_s:
        time.sleep(row.hold_s)
        if any(event["state"] == "ok" for when, event in run.of("health", found[0] if found else begin)):
            wrong.append("said ok while it lasted")
    recover_s, why = recovery(row, run, begin)
    return onset_s, respawn_s, recover_s, wrong + why


def recovery(row, run, begin):
    """Ends the fault; how long until it sees."""
    if row.over_s is None:
        run.send("clear")
        over = time.monotonic()
    else:
        over = begin + row.over_s
    if not run.of("health", begin):
        return None, []
    sees = run.wait_ok(max(0.0, over - time.monotonic()) + row.recover_s + PATIENCE_S, over)
    if sees is None:
        return None, [f"did not see again: {(run.health() or {}).get('reason')}"]
    recover_s = max(0.0, sees - over)
    return recover_s, [] if recover_s <= row.recover_s else [f"saw again after {recover_s:.2f} s: {seen(run, begin)[-3:]}"]


def measure(row, times):
    """So many times; a result line."""
    if row.own:
        return row.own(row)
    onset, respawn, recover, wrong = [], [], [], []
    with Run(row.source, row.args, row.model) as run:
        for _ in range(times):
            if not rested(run):
                wrong.append(f"was not well before: {(run.health() or {}).get('reason')}")
                break
            results = inject(row, run)
            for values, value in zip((onset, respawn, recover), results):
                if value is not None:
                    values.append(value)
            wrong += results[3]
        if not run.alive():
            wrong.append(f"the room's process ended with {run.process.returncode}")
        if row.stderr and row.stderr not in run.said().lower():
            wrong.append(f"nothing of {row.stderr!r} in {run.said()[-200:]!r}")
        control, status = run.control, run.stop()
        if status is None:
            wrong.append("did not end")
        if left := naming(control):
            wrong.append(f"processes left: {left}")

    def span(values):
        return [round(min(values), 2), round(max(values), 2)] if values else None

    return {"passed": not wrong, "times": times, "limit_s": row.limit_s, "onset_s": span(onset),
            "respawn_s": span(respawn), "recover_s": span(recover), "wrong": wrong[:4]}


def result(wrong, **more):
    """A result line of a row that measures itself."""
    return {"passed": not wrong, **more, "wrong": wrong}


def counted(row):
    """Overflows of known size: the loss is counted, and a little of it leaves it well."""
    each, count = (20_000, 5) if row.model == "rtlsdr" else (400_000, 3)
    wrong = []
    with Run(row.source, row.args, row.model) as run:
        if not rested(run):
            return result(["never well"])
        begin = time.monotonic()
        for _ in range(count):
            run.send(f"overflow {each}")
            time.sleep(1.0)
        time.sleep(3.0)
        bad = seen(run, begin)
        run.stop()
        counts = run.samples()
    off = abs(counts["lost"] - each * count)
    # With the driver's time each sample is known; without, the clock must do: a thousandth of the stream.
    most = 0.001 * (each * count if row.model == "rtlsdr" else counts["stream"])
    if off > most:
        wrong.append(f"{counts['lost']} counted of {each * count}")
    if bad and row.model == "rtlsdr":
        wrong.append(f"not well: {bad}")
    return result(wrong, lost=each * count, counted=counts["lost"], overflows=counts["overflows"])


def heavy(row):
    """Three overflows that together lose an eighth of ten seconds, none long enough to look like a dead receiver."""
    with Run(row.source, row.args, row.model) as run:
        if not rested(run):
            return result(["never well"])
        begin = time.monotonic()
        for _ in range(3):
            run.send("overflow 1000000")
            time.sleep(1.2)
        found = run.wait(lambda event: matches(row, event), begin, time.monotonic() + PATIENCE_S)
        said = seen(run, begin)
    if found is None:
        return result([f"not told; health said {said}"])
    return result([], onset_s=[round(found[0] - begin, 2)] * 2)


def short_reads(row):
    """They are no fault."""
    wrong = []
    with Run(row.source, row.args, row.model) as run:
        if not rested(run):
            return result(["never well"])
        begin, sensor = time.monotonic(), run.sensor()
        used = cpu_s(sensor)
        run.send("short_read 1000")
        time.sleep(5.0)
        share = 100 * (cpu_s(sensor) - used) / 5.0
        wrong += seen(run, begin)
        run.stop()
        counts = run.samples()
    if counts["lost"] + counts["dropped"]:
        wrong.append(f"lost {counts['lost']}, dropped {counts['dropped']}")
    return result(wrong, cpu_percent=round(share, 1))


def ambiguous(_row):
    """Two receivers of one serial number: refused, and said why."""
    command = [program(), "run", "--listen", "127.0.0.1:0", "--device", "driver=emcon-sim,model=rtlsdr,serial=00000001,count=2", "--for", "3"]
    begin = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15)
    except subprocess.TimeoutExpired:
        return result(["did not end"])
    wrong = [] if done.returncode == 78 else [f"exit {done.returncode}"]
    if "00000001" not in done.stderr:
        wrong.append(f"the message does not name it: {done.stderr[-200:]!r}")
    return result(wrong, onset_s=[round(time.monotonic() - begin, 2)] * 2, said=done.stderr.strip()[-200:])


def slow_open(row):
    """Never well before samples come."""
    seconds = 3.0 if row.quick else 30.0
    fault = {"EMCON_SIM_FAULT": f"slow_make {seconds:.0f}s"}
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        # Faults from the environment are for a device without a control socket.
        errors = f"{folder}/errors"
        with open(errors, "w") as to:
            process = subprocess.Popen(
                [program(), "run", "--listen", "127.0.0.1:0", "--device", "driver=emcon-sim", "--for", "2", "--json"],
                stdout=subprocess.PIPE, stderr=to, text=True, env={**os.environ, **fault})
            begin, ok_s, first = time.monotonic(), None, None
            for line in process.stdout:
                first = first or line
                if ok_s is None and '"state":"ok"' in line:
                    ok_s = time.monotonic() - begin
            process.wait()
    if first is None or '"state":"blind"' not in first:
        wrong.append("the first word was not that it is blind")
    if ok_s is None or ok_s < seconds or ok_s > seconds + RECOVER_S:
        wrong.append(f"well after {ok_s} s")
    return result(wrong, ok_s=ok_s and round(ok_s, 2))


def pulsed(row):
    """A jammer that is on for a tenth of the time."""
    wrong, found = [], None
    with Run(row.source, row.args, row.model) as run:
        if not rested(run):
            return result(["never well"])
        begin = time.monotonic()
        for _ in range(8):
            run.send("floor +30dB for 100ms")
            found = found or run.wait(lambda event: matches(row, event), begin, time.monotonic() + 0.9)
            time.sleep(max(0.0, 0.0 if found is None else 0.9))
        alerts = len(run.of("alert", begin))
        run.stop()
    onset_s = found and round(found[0] - begin, 2)
    if onset_s is None or onset_s > row.limit_s:
        wrong.append(f"told after {onset_s} s")
    return result(wrong, onset_s=[onset_s] * 2 if found else None, alerts=alerts)


def alerted(row):
    """Whoever jams is in the room: an alert."""
    with Run(row.source, row.args, row.model) as run:
        if not rested(run):
            return result(["never well"])
        begin = time.monotonic()
        run.send(row.verbs[0])
        found = run.wait(lambda event: event["event"] == "alert", begin, begin + row.limit_s + PATIENCE_S)
    if found is None:
        return result([f"no alert in {row.limit_s + PATIENCE_S:.0f} s"])
    return result([], onset_s=[round(found[0] - begin, 2)] * 2, reasons=found[1]["reasons"][:2])


def creeping(row):
    """A floor that rises a decibel every four seconds, forty times as fast as the slow jammer of the table."""
    with Run(row.source, row.args, row.model) as run:
        if not rested(run):
            return result(["never well"])
        begin = time.monotonic()
        for db in range(1, 13):
            run.send(f"floor +{db}dB")
            if run.wait(lambda event: matches(row, event), begin, time.monotonic() + 4.0):
                return result([] if db <= 7 else [f"told at {db} dB"], told_at_db=db)
    return result(["12 dB more within 48 s, and nothing told"])


def refused_values(row):
    """No integer is no number: the simulator refuses, and so nothing can be tried."""
    with Run() as run:
        run.wait_ok(30)
        answer = run.send(row.verbs[0])
    return {"passed": None, "not_injectable": answer, "wrong": []}


def ages(row):
    """While nothing is seen, the bands' ages grow as time does."""
    with Run(row.source, row.args, row.model) as run:
        first = run.wait(lambda event: event["event"] == "coverage", 0.0, time.monotonic() + 30)
        time.sleep(0.5)
        run.send("timeout")
        time.sleep(24.0)
        lines = [event for when, event in run.of("coverage") if when > first[0]]
        run.stop()
    if len(lines) < 2:
        return result([f"{len(lines)} reports of the coverage"])
    one, two = lines[-2:]
    past = two["at_s"] - one["at_s"]
    off = [abs(b["age_s"] - a["age_s"] - past) for a, b in zip(one["bands"], two["bands"])
           if a["age_s"] is not None and b["age_s"] is not None]
    wrong = [] if off and max(off) <= 0.1 else [f"off by {max(off, default=None)} s"]
    return result(wrong, bands=len(off), off_s=round(max(off, default=-1.0), 3))


def second_receiver(_row):
    """Two receivers, one of which dies."""
    device = "driver=emcon-sim,model=rtlsdr,serial="
    command = [program(), "run", "--listen", "127.0.0.1:0", "--device", device + "A", "--device", device + "B", "--for", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if done.returncode == 2:
        return result([f"two receivers cannot be guarded: {done.stderr.strip().splitlines()[0][:160]}"])
    return result(["two receivers are taken now: write this row"])


PARK = ("--park", "2433M")
AIR = f",scene={ROOT}/config/scenes/meeting.toml"

ROWS = [
    Row("1", "reads time out", ["timeout"], words=["no samples"], quick=True),
    Row("1r", "reads time out, RTL-SDR", ["timeout"], words=["no samples"], model="rtlsdr"),
    Row("2", "a read hangs", ["hang_read once"], respawn_s=6.0, over_s=0.0),
    Row("3a", "unmaking hangs", ["hang_unmake once", "timeout for 4s"], respawn_s=6.0, over_s=4.0),
    Row("3b", "deactivating hangs", ["hang_deactivate once", "timeout for 4s"], respawn_s=6.0, over_s=4.0),
    Row("4a", "the driver crashes", ["segv"], limit_s=3.0, respawn_s=3.0, over_s=0.0, quick=True),
    Row("4b", "the driver throws", ["throw always"], limit_s=3.0),
    Row("5a", "overflows, counted by the driver's time", model="rtlsdr", own=counted),
    Row("5b", "an overflow of 4 % of ten seconds", ["overflow 1000000"], states=BAD, words=["lost"], model="rtlsdr",
        over_s=0.0, recover_s=12.0),
    Row("5c", "overflows of an eighth of ten seconds", words=["10 %"], model="rtlsdr", own=heavy),
    Row("5d", "overflows, counted by the clock", own=counted),
    Row("6a", "a tenth lost unsaid", ["rate 0.9"], states=BAD, words=["lost"], recover_s=14.0),
    Row("6b", "a fiftieth lost unsaid", ["rate 0.98"], states=BAD, words=["lost"], limit_s=10.0, recover_s=14.0),
    Row("6c", "a tenth lost, no time told", ["no_time", "rate 0.9"], states=BAD, words=["lost"], model="rtlsdr",
        limit_s=5.0, recover_s=14.0),
    Row("7a", "stream errors", ["stream_error"], quick=True),
    Row("7b", "corruption", ["corruption"]),
    Row("7c", "an unknown code", ["unknown_code -99"]),
    Row("8a", "reads of nothing", ["zero_len"], cpu_percent=20.0, quick=True),
    Row("8b", "short reads", own=short_reads),
    Row("9", "unplugged for 10 s", ["vanish for 10s"], over_s=10.0),
    Row("10", "another serial number", ["serial X1", "vanish for 1s"], states=BAD, words=["another receiver"],
        tamper=True, limit_s=4.0, hold_s=5.0),
    Row("11", "two of one serial number", own=ambiguous, quick=True),
    Row("12", "busy", ["busy", "vanish for 1s"], limit_s=3.0, hold_s=3.0, stderr="busy"),
    Row("13", "opens slowly", own=slow_open),
    *(Row(f"14.{n}", f"{n} transfers repeat", [f"repeat {n}"], words=["repeat"], quick=n == 1) for n in (1, 4, 15, 32)),
    *(Row(f"15{c}", f"stuck: {verb}", [verb], words=["stuck"], limit_s=1.0, quick=c == "d")
      for c, verb in zip("abcd", ("stuck 0", "stuck 127", "stuck -128", "zeros"))),
    Row("16i", "rail I dead", ["rail i"], states=BAD, words=["rail"], limit_s=5.0, quick=True),
    Row("16q", "rail Q dead", ["rail q"], states=BAD, words=["rail"], limit_s=5.0),
    Row("17a", "no numbers", ["nan"], own=refused_values),
    Row("17b", "infinities", ["inf"], own=refused_values),
    Row("18a", "saturated, sweeping", ["clip 50dB"], states=BAD, words=["clipping"], limit_s=1.0),
    Row("18b", "saturated, parked", ["clip 50dB"], states=BLIND, words=["clipping"], limit_s=1.0, args=PARK, quick=True),
    Row("19a", "jammed, sweeping", ["floor +30dB"], words=["floor", "jam"], limit_s=3.0, recover_s=30.0),
    Row("19b", "jammed, parked", ["floor +30dB"], words=["floor", "jam"], limit_s=3.0, args=PARK),
    Row("19c", "jammed a tenth of the time, parked", states=BAD, words=["floor", "jam"], limit_s=3.0, args=PARK,
        own=pulsed),
    Row("19d", "a jammer is alerted of, parked", ["floor +30dB"], limit_s=10.0, args=PARK, own=alerted),
    Row("20", "jammed slowly, parked", states=BAD, words=["floor", "jam"], args=PARK, own=creeping),
    Row("21", "antenna off", ["floor -20dB"], words=["floor", "antenna", "deaf"], limit_s=30.0, recover_s=30.0),
    Row("22", "retunes ignored", ["retune_ignored"], states=BAD, words=["tun"], sweeps=2.0, recover_s=40.0),
    Row("23", "the clock is off by 100 ppm", ["ppm +100"], states=BAD, words=["clock", "ppm", "frequency", "drift"],
        limit_s=20.0, args=PARK, source=AIR),
    Row("24", "the gain is moved", ["gain_changed 10"], states=BAD, words=["gain"], tamper=True, sweeps=1.0,
        quick=True),
    Row("25", "ages of bands", own=ages),
    Row("26", "the second receiver dies", own=second_receiver),
]
