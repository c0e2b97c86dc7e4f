"""Results, one JSON object a line in docs/figures: written when they are there, not measured again while the sources stand.

As benches/figures/ledger.rs does, with the simulated receiver and these drivers among the sources.
"""

import hashlib
import json
import os
import pathlib
import platform
import subprocess

from processes import ROOT

SOURCES = ["src", "config", "benches/live", "benches/peers", "hardware/emcon-sim"]


def version():
    """Digest of all that a result depends on."""
    digest = hashlib.sha256()
    files = [ROOT / "Cargo.lock"]
    for folder in SOURCES:
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def facts():
    """The machine, and the commit."""
    def git(*args):
        return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    models = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    dirty = "-dirty" if git("status", "--porcelain", "--", *SOURCES) else ""
    return {
        "commit": git("rev-parse", "--short=12", "HEAD") + dirty,
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "profile": os.environ.get("CARGO_PROFILE_RELEASE_OPT_LEVEL") and "development" or "release",
    }


class Ledger:
    """The lines of one file."""

    def __init__(self, name):
        folder = pathlib.Path(os.environ.get("EMCON_FIGURES", ROOT / "docs" / "figures"))
        self.path = folder / f"{name}.jsonl"
        self.version = version()

    def lines(self):
        """All lines; one that was cut short is left out."""
        out = []
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            try:
                out.append(json.loads(line))
            except ValueError:
                pass
        return out

    def has(self, what, seed):
        """Whether it was measured to its end for these sources, and did not fail: who runs it again wants to see."""
        return any((line["what"], line["seed"], line["version"]) == (what, seed, self.version)
                   and line.get("complete", True) and line.get("passed", True) is not False
                   for line in self.lines())

    def put(self, what, seed, result):
        """Appends a result."""
        line = {"what": what, "seed": seed, "version": self.version, **facts(), **result}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as to:
            to.write(json.dumps(line) + "\n")
        return line
