"""The room process for long: killed again and again in a meeting, and with more who listen than any building has."""

import asyncio
import calendar
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

from processes import children, naming, program, rss_kib

# It must be armed again after that time, seconds.
ARMED_S = 5.0
# An alert must be with those who listen after that time, seconds.
HEARD_S = 0.5
# Descriptors: a thousand connections on both sides and some.
DESCRIPTORS = 8192

SCENE = '''name = "keys"
duration = 3600
[receiver]
model = "rtlsdr"
center = "446.1M"
noise_dbfs_per_hz = -110
'''
KEYED = '''[[emitter]]
name = "walkie {0}"
kind = "nfm"
freq = "{1:.5f}M"
level_dbfs = -20
on = [[{2:.3f}, {3:.3f}]]
'''


def keys(count, first_s, every_s, lasts_s):
    """A scene in which so many walkie-talkies are keyed one after the other, on channels of their own."""
    text = SCENE
    for n in range(count):
        begin_s = first_s + n * every_s
        text += KEYED.format(n, 445.3 + 0.025 * n, begin_s, begin_s + lasts_s)
    return text


class Room:
    """`emcon run` that guards a meeting, parked, with records; it can be killed and started again."""

    def __init__(self, scene):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="emcon-room-"))
        self.scene = self.folder / "scene.toml"
        self.scene.write_text(scene)
        self.process, self.url = None, ""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in naming(str(self.scene)):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Starts it; it serves when this returns."""
        with (self.folder / "errors").open("a") as errors:
            self.process = subprocess.Popen(
                [program(), "run", "--json", "--quiet", "--listen", "127.0.0.1:0", "--park", "446.1M", "--room", "0",
                 "--data", str(self.folder / "records"),
                 "--device", f"driver=emcon-sim,model=rtlsdr,scene={self.scene}"],
                stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def sensor(self):
        """The sensor's process, if there is one."""
        found = children(self.process.pid)
        return found[-1] if found else None

    def ask(self, path, body=None):
        """What the API says; a POST if there is a body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Emcon": "1", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def wait(self, holds, timeout_s):
        """The state once it holds; nothing if it did not in time."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            try:
                state = self.ask("state")
                if holds(state):
                    return state
            except OSError:
                pass
            time.sleep(0.02)
        return None


def sees(state):
    """Armed, and nothing is wrong but what was heard."""
    return state["mode"] == "armed" and state["state"] not in ("blind", "tamper")


def measure_killed(times, progress):
    """Kills the room or its sensor at random moments of a meeting, so often: what was acknowledged stays, so does what was
    not."""
    dice = random.Random(1)
    took, late, lost, reopened = {"room": [], "sensor": []}, 0, [], []
    with Room(keys(1, 0.5, 1.0, 3600.0)) as room:
        first = room.wait(lambda s: sees(s) and s["alerts"], 30)
        if first is None:
            return {"passed": False, "why": "no alert"}
        latched, acknowledged = first["alerts"][0]["id"], set()
        for done in range(1, times + 1):
            time.sleep(dice.uniform(0.0, 2.0))
            for alert in room.ask("state")["alerts"]:
                if alert["id"] != latched:
                    room.ask(f"alerts/{alert['id']}/acknowledge", {"by": "soak"})
                    acknowledged.add(alert["id"])
            who = "room" if done % 2 else "sensor"
            began = time.monotonic()
            if who == "room":
                room.process.kill()
                room.process.wait()
                room.start()
                back = room.wait(sees, 4 * ARMED_S)
            else:
                sensor = room.sensor()
                if sensor:
                    os.kill(sensor, signal.SIGKILL)
                back = room.wait(lambda s: sees(s) and room.sensor() not in (None, sensor), 4 * ARMED_S)
            took[who].append(time.monotonic() - began)
            late += back is None or took[who][-1] > ARMED_S
            if back is not None and latched not in [alert["id"] for alert in back["alerts"]]:
                lost.append(done)
            records = {alert["id"]: alert for alert in room.ask("alerts?limit=1000")}
            reopened += [n for n in acknowledged if not records.get(n, {}).get("acknowledged")]
            if done % 20 == 0:
                progress(f"{done} of {times} kills, {len(acknowledged)} acknowledged")
    figures = {who: [round(statistics.median(all_s), 2), round(max(all_s), 2)] for who, all_s in took.items() if all_s}
    return {"passed": not late and not lost and not reopened, "kills": times, "armed_again_s": figures, "late": late,
            "latch_lost": len(lost), "acknowledged": len(acknowledged), "acknowledged_lost": len(reopened)}


async def _listen(address, heard):
    """Reads events, and notes when each raised alert came."""
    reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    await writer.drain()
    kind = b""
    while line := await reader.readline():
        if line.startswith(b"event:"):
            kind = line[6:].strip()
        elif line.startswith(b"data:") and kind == b"alert":
            alert = json.loads(line[5:])
            if alert["phase"] == "raised":
                heard.append((alert["id"], alert["raised"], time.time()))


async def _stall(address):
    """Asks for events and reads none."""
    _, writer = await asyncio.open_connection(*address, limit=1)
    writer.transport.pause_reading()
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await asyncio.sleep(3600)


async def _crowd(room, live, stalled, seconds):
    host, port = room.url.removeprefix("http://").split(":")
    address, heard = (host, int(port)), [[] for _ in range(live)]
    tasks = []
    for n in range(live + stalled):
        work = _listen(address, heard[n]) if n < live else _stall(address)
        tasks.append(asyncio.create_task(work))
        if n % 50 == 49:
            await asyncio.sleep(0.05)
    peak, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(0.5)
        peak = max(peak, rss_kib(room.process.pid))
    failed = sum(task.done() for task in tasks[:live])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return heard, peak, failed


def _utc_s(text):
    """Seconds since 1970 of a time with nine digits of the second."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction or 0}")


def measure_clients(live, stalled, alerts):
    """So many who listen, of whom some read nothing, while alerts come."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, DESCRIPTORS), hard), hard))
    first_s, every_s = 15.0, 2.5
    with Room(keys(alerts, first_s, every_s, 1.5)) as room:
        if room.wait(sees, 30) is None:
            return {"passed": False, "why": "never saw"}
        before = rss_kib(room.process.pid)
        heard, peak, ended = asyncio.run(_crowd(room, live, stalled, first_s + alerts * every_s))
        state = room.ask("state")
    late = sorted(at - _utc_s(raised) for one in heard for _, raised, at in one)
    raised = len({alert for one in heard for alert, _, _ in one})
    missed = sum(raised - len({alert for alert, _, _ in one}) for one in heard)
    p99_s = late[int(0.99 * (len(late) - 1))] if late else float("inf")
    lost = sum(band["lost"] for band in state["coverage"])
    return {"passed": bool(raised == alerts and not missed and not ended and p99_s <= HEARD_S),
            "live": live, "stalled": stalled, "alerts": raised, "missed": missed, "ended": ended,
            "heard_s": [round(statistics.median(late), 3), round(p99_s, 3), round(late[-1], 3)] if late else None,
            "lost_samples": lost, "rss_kib": [before, peak]}
