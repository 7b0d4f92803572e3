#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compiles every header alone, so that including one never depends on what was included before it. Public headers are
compiled with include/ only, as a user would. Ends with "N passed, N failed"."""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", "-fsyntax-only"]


def failure_of(compiler: str, header: pathlib.Path) -> str:
    """What the compiler says; empty when it is content."""
    is_public = header.is_relative_to(ROOT / "include")
    base = ROOT / ("include" if is_public else "src")
    folders = ["-I", ROOT / "include"] + ([] if is_public else ["-I", ROOT / "src"])
    run = subprocess.run([compiler, *FLAGS, *folders, "-x", "c++", "-"], text=True, capture_output=True, check=False,
                         input=f'#include "{header.relative_to(base)}"\n')
    return run.stderr if run.returncode else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--compiler", default="g++")
    arguments = parser.parse_args()
    headers = sorted(h for folder in ("include", "src") for h in (ROOT / folder).rglob("*.hpp"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for header, failure in zip(headers, pool.map(lambda h: failure_of(arguments.compiler, h), headers)):
            if failure:
                failed += 1
                print(f"{header.relative_to(ROOT)} does not compile alone:\n{failure}")
    print(f"{len(headers) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
