"""Processes as Linux shows them, and `emcon run` with what it says.

Times are of the monotonic clock, seconds; CPU times come from /proc and count user and system time of all threads,
in steps of a hundredth of a second.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")

# Time that `emcon run` may take to end, seconds: its sensor has two.
END_S = 8.0


def program():
    """The emcon that is measured."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return os.environ.get("EMCON", str(target / "release" / "emcon"))


def _cpu_s(stat):
    # The name before the last parenthesis may hold anything; utime and stime are fields 14 and 15 (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def cpu_s(pid):
    """CPU time of a process so far; nothing if it is gone."""
    try:
        return _cpu_s(pathlib.Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return None


def threads_cpu_s(pid):
    """CPU time of each thread so far, by its number: the first is the one that the process began with."""
    out = {}
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").glob("*"), key=lambda path: int(path.name)):
        try:
            out[int(task.name)] = _cpu_s((task / "stat").read_text())
        except OSError:
            pass
    return out


def waited_s(pid):
    """Time that all its threads were ready to run and had no core: how far the machine was too busy for it."""
    out = 0.0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            out += int(path.read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            pass
    return out


def rss_kib(pid):
    """Memory in use."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def descriptors(pid):
    """Open descriptors."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def children(pid):
    """Its children that live."""
    out = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            out.append(int(path.parent.name))
    return sorted(out)


def naming(text):
    """Processes whose command line holds `text`, this one excepted."""
    out = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                out.append(int(path.parent.name))
        except OSError:
            pass
    return out


class Run:
    """`emcon run --json` on a simulated receiver with a control socket."""

    def __init__(self, source="", args=(), model="hackrf", env=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="emcon-live-"))
        self.control = str(self.folder / "control")
        self.device = f"driver=emcon-sim,model={model},control={self.control}" + source
        self.errors = self.folder / "errors"
        self.events = []
        self._news = threading.Condition()
        self.began = time.monotonic()
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [program(), "run", "--listen", "127.0.0.1:0", "--device", self.device, "--json", *args],
                stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **(env or {})},
                # An interruption is for who measures, who ends it in order.
                start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        for pid in naming(self.control):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self):
        for line in self.process.stdout:
            now = time.monotonic()
            with self._news:
                self.events.append((now, json.loads(line)))
                self._news.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def sensor(self):
        """The sensor's process, if there is one."""
        found = children(self.pid)
        return found[-1] if found else None

    def alive(self):
        return self.process.poll() is None

    def wait(self, match, since, until):
        """The first event after `since` that matches, waiting until `until`; nothing if none came."""
        at = 0
        with self._news:
            while True:
                while at < len(self.events):
                    when, event = self.events[at]
                    at += 1
                    if when >= since and match(event):
                        return when, event
                left = until - time.monotonic()
                if left <= 0 or (not self.alive() and not self._reader.is_alive()):
                    return None
                self._news.wait(min(left, 0.25))

    def of(self, kind, since=0.0):
        """Events of a kind since then."""
        with self._news:
            return [(when, event) for when, event in self.events if when >= since and event["event"] == kind]

    def health(self):
        """The latest health event."""
        found = self.of("health")
        return found[-1][1] if found else None

    def is_ok(self):
        health = self.health()
        return bool(health) and health["state"] == "ok"

    def wait_ok(self, timeout_s, since=None):
        """When it last became well: now or before the time is over; nothing otherwise."""
        since = time.monotonic() if since is None else since
        until = time.monotonic() + timeout_s
        if self.is_ok():
            return max(since, self.of("health")[-1][0])
        found = self.wait(lambda event: event["event"] == "health" and event["state"] == "ok", since, until)
        return found and found[0]

    def samples(self):
        """Counts of the latest coverage line."""
        found = self.of("coverage")
        return found[-1][1]["samples"] if found else {}

    def send(self, line):
        """One verb to the simulated receiver; its answer. The socket is away while nobody has the device open."""
        problem = None
        for _ in range(50):
            try:
                with socket.socket(socket.AF_UNIX) as control:
                    control.settimeout(3)
                    control.connect(self.control)
                    control.sendall(line.encode() + b"\n")
                    return control.recv(4096).decode().strip()
            except OSError as error:
                problem = error
                time.sleep(0.05)
        return f"error: {problem}"

    def said(self):
        """What stands on standard error."""
        return self.errors.read_text()

    def stop(self):
        """Ends it as a user does; its exit status, or nothing if it had to be killed."""
        if self.alive():
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        self._reader.join(2)
        return status
