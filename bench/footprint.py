#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""How little memory the key-value core takes: runs the lean programs and prints their figures beside those that come
with tokimo-kvdb, whose small benchmark they repeat. Part of ./dev bench --footprint.

    bench/footprint.py BINARIES
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from benchlib import table  # noqa: E402

SEED = {"peak_kib": 592, "heap_bytes": 26 << 10, "binary_bytes": 569 << 10}
RUNS = 5


def measured(program: pathlib.Path) -> dict:
    """The least of some runs: what the system maps ahead differs from run to run."""
    best = {"binary_bytes": program.stat().st_size}
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([program.resolve(), f"{folder}/footprint.vtr"], capture_output=True, text=True,
                                  check=True)
        for name, value in json.loads(done.stdout).items():
            best[name] = min(best.get(name, value), value)
    return best


def main() -> int:
    lines = [["static, stripped", "peak KiB", "of it anonymous", "heap KiB", "binary KiB"]]
    for name in ("footprint_musl", "footprint"):
        program = pathlib.Path(sys.argv[1]) / name
        if program.exists():
            found = measured(program)
            lines.append([name, str(found["peak_kib"]), str(found["anonymous_kib"]), str(found["heap_bytes"] >> 10),
                          str(found["binary_bytes"] >> 10)])
    lines.append(["tokimo-kvdb (musl)", str(SEED["peak_kib"]), "", str(SEED["heap_bytes"] >> 10),
                  str(SEED["binary_bytes"] >> 10)])
    print(table.rows(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
