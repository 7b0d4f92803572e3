#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Instructions of each hot operation, counted by callgrind, against those that are kept. A stage of ./dev test: times
differ from run to run, instructions do not.

    bench/instructions.py --program build/bin/hot_operations            compares
    bench/instructions.py --program build/bin/hot_operations --update   keeps what is counted now

Fails when an operation takes a tenth more than what is kept. One that takes a tenth less passes, and says so: keep the
new figure, so that the gain is guarded too. Another compiler than that of the kept figures makes other code: then there
is nothing to compare, and nothing fails.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KEPT = pathlib.Path(__file__).resolve().parent / "instructions.json"
MARGIN = 0.10
# callgrind counts each byte of a repeated string instruction as one of its own: clearing 4 KiB with one of them would
# count more than copying 8 KiB with a loop.
LOOPS_ONLY = "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000"


def compiler() -> str:
    return subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()


def count(program: pathlib.Path) -> dict[str, int]:
    """Instructions of one operation, by name."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--quiet",
                               f"--callgrind-out-file={folder}/out", str(program.resolve())],
                              capture_output=True, text=True, check=False,
                              env=os.environ | {"GLIBC_TUNABLES": LOOPS_ONLY})
        if done.returncode != 0:
            raise SystemExit(f"{program} failed under callgrind:\n{done.stderr}")
        operations = {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}
        counts = {}
        for path in pathlib.Path(folder).iterdir():
            text = path.read_text(encoding="utf-8")
            name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.MULTILINE)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
            if name and total:
                counts[name.group(1)] = round(int(total.group(1)) / operations[name.group(1)])
    if counts.keys() != operations.keys():
        raise SystemExit(f"no count for {', '.join(sorted(operations.keys() - counts.keys()))}")
    return counts


def verdict(now: int, kept: int | None) -> str:
    if kept is None:
        return "FAILED: not kept yet; --update keeps it"
    if now > kept * (1 + MARGIN):
        return f"FAILED: {now / kept * 100 - 100:+.1f} %"
    if now < kept * (1 - MARGIN):
        return f"{now / kept * 100 - 100:+.1f} %: better, keep it with --update"
    return f"{now / kept * 100 - 100:+.1f} %"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"compiler": "", "instructions": {}}
    if not arguments.update and kept["compiler"] != compiler():
        print(f"kept for g++ {kept['compiler']}, this is {compiler()}: nothing to compare\n1 passed, 0 failed")
        return 0
    counts = count(arguments.program)
    if arguments.update:
        KEPT.write_text(json.dumps({"compiler": compiler(), "instructions": counts}, indent=1, sort_keys=True) + "\n",
                        encoding="utf-8")
        kept["instructions"] = counts
    verdicts = {name: verdict(now, kept["instructions"].get(name)) for name, now in counts.items()}
    for name in kept["instructions"].keys() - counts.keys():
        verdicts[name] = "FAILED: not counted any more; --update forgets it"
    for name, text in sorted(verdicts.items()):
        print(f"{name:24} {counts.get(name, 0):>10} instructions  {text}")
    failed = sum(text.startswith("FAILED") for text in verdicts.values())
    print(f"{len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
