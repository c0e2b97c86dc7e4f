"""`emcon sense` alone: its messages are cut apart, its counts kept, all else thrown away.

The room's place is taken by this reader, so that nothing but the sensor is measured. Of the stream (src/wire) it
knows where frames begin and how counts are written: postcard's variable-length integers.
"""

import os
import re
import subprocess
import threading
import time

from processes import ROOT, cpu_s, program

PREAMBLE_LEN = 8
STATUS = 4
# In their order on the wire, which is that of their declaration.
COUNTS = re.findall(r"pub (\w+): u64", (ROOT / "src/wire/counts.rs").read_text())


def counts_of(body):
    """The counts in the body of a status message."""
    values, value, shift = [], 0, 0
    for byte in body[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value)
            value, shift = 0, 0
            if len(values) == len(COUNTS):
                break
    return dict(zip(COUNTS, values))


class Sense:
    """A sensor that runs, and its counts with the CPU time that it had used by then."""

    def __init__(self, device, args=(), cpu=None):
        pin = None if cpu is None else (lambda: os.sched_setaffinity(0, {cpu}))
        self.process = subprocess.Popen(
            [program(), "sense", "--device", device, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=pin)
        # Marks: time, CPU time, counts.
        self.marks = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        stdout = self.process.stdout
        stdout.read(PREAMBLE_LEN)
        while True:
            head = stdout.read(4)
            if len(head) < 4:
                return
            body = stdout.read(int.from_bytes(head, "little"))
            if body[:1] == bytes([STATUS]):
                self.marks.append((time.monotonic(), cpu_s(self.process.pid), counts_of(body)))

    def mark_after(self, when, timeout_s):
        """The first mark after `when`."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for mark in list(self.marks):
                if mark[0] >= when and mark[1] is not None and mark[2]["blocks"] > 0:
                    return mark
            time.sleep(0.05)
        raise TimeoutError("the sensor says nothing of its counts")

    def stop(self):
        """Ends it: it stops when its input does."""
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(2)


def cost(device, args, cpu, seconds):
    """CPU seconds per 1e9 samples of a sensor at work, with how many samples it took."""
    sense = Sense(device, args, cpu)
    try:
        first = sense.mark_after(time.monotonic() + 2.0, 30)
        last = sense.mark_after(first[0] + seconds, seconds + 30)
    finally:
        sense.stop()
    samples = last[2]["received"] - first[2]["received"]
    missed = sum(last[2][key] for key in ("lost", "dropped", "shed"))
    return {"cpu_s_per_1e9": round(1e9 * (last[1] - first[1]) / samples, 1), "samples": samples, "missed": missed,
            "msps": round(samples / (last[0] - first[0]) / 1e6, 1)}
