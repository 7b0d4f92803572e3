#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tests the tests: plants known kinds of bugs, one at a time, and demands that a named test fails for each.

Each file of tests/mutants/ is one bug:

    file: src/engine/checkpoint.cpp
    test: engine_crash_test
    filter: *plain_commits*
    why: the header becomes durable before the pages it names
    ---
    <lines to find, exactly once>
    ---
    <lines to put there; may be empty>

The bugs are planted in a copy of the tree that has a build folder of its own, so only the changed file is compiled
again. First every test that is used must pass without a bug. Ends with `N passed, N failed`.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS_MAX = 240  # of one test with one bug; a bug that makes a test hang is found, too


class Mutant:
    def __init__(self, path):
        self.name = path.stem
        head, self.old, self.new = path.read_text().split("---\n")
        self.fields = dict(line.split(": ", 1) for line in head.splitlines() if line)
        self.file = self.fields["file"]
        self.test = self.fields["test"]
        self.filter = self.fields.get("filter", "*")


def sync_tree(copy):
    """Brings the copy up to date; files that did not change keep their time, so they are not compiled again."""
    wanted = set()
    for top in ("src", "include", "tests", "cmake", "fuzz", "bench", "tools", "docs"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                wanted.add(path.relative_to(ROOT))
    wanted |= {pathlib.Path(name) for name in ("CMakeLists.txt", "CMakePresets.json") if (ROOT / name).exists()}
    for old in sorted(copy.rglob("*")) if copy.exists() else []:
        if old.is_file() and old.relative_to(copy) not in wanted:
            old.unlink()
    for path in wanted:
        target = copy / path
        if target.exists() and target.read_bytes() == (ROOT / path).read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)


def configure(copy, build):
    command = ["cmake", "-G", "Ninja", "-S", copy, "-B", build, "--log-level=WARNING", "-DVITRINE_WERROR=OFF",
               "-DVITRINE_BENCH=OFF", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compile_target(build, target, jobs):
    return subprocess.run(["cmake", "--build", build, "-j", str(jobs), "--target", target],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_test(build, mutant):
    environment = dict(os.environ, VITRINE_TEST_SCALE="small", VITRINE_SEED="1")
    program = next(build.rglob(mutant.test))
    try:
        done = subprocess.run([program, "--gtest_filter=" + mutant.filter, "--gtest_brief=1"], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_MAX, cwd=build)
    except subprocess.TimeoutExpired:
        return None, b"timeout"
    ran_none = b"PASSED  ] 0 tests" in done.stdout or b"Running 0 tests" in done.stdout
    return (-1 if ran_none and done.returncode == 0 else done.returncode), done.stdout


def plant(copy, mutant):
    path = copy / mutant.file
    text = path.read_text()
    count = text.count(mutant.old)
    if count != 1:
        return f"the lines to find are there {count} times in {mutant.file}"
    path.write_text(text.replace(mutant.old, mutant.new))
    return None


def check(copy, build, mutant, jobs):
    original = (copy / mutant.file).read_text()
    problem = plant(copy, mutant)
    if problem:
        return problem
    try:
        built = compile_target(build, mutant.test, jobs)
        if built.returncode != 0:
            return "does not compile: " + built.stdout[-300:]
        result, _ = run_test(build, mutant)
        return "survived" if result == 0 else "no test ran" if result == -1 else None
    finally:
        (copy / mutant.file).write_text(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these bugs")
    parser.add_argument("--build", default=str(ROOT / "build" / "mutants"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    mutants = [Mutant(path) for path in sorted((ROOT / "tests" / "mutants").glob("*.mutant"))]
    if options.names:
        mutants = [mutant for mutant in mutants if mutant.name in options.names]
    work = pathlib.Path(options.build)
    copy, build = work / "tree", work / "out"
    sync_tree(copy)
    configure(copy, build)

    passed = failed = 0

    def report(name, problem, started):
        nonlocal passed, failed
        passed, failed = (passed, failed + 1) if problem else (passed + 1, failed)
        word = "failed" if problem else "passed"
        print(f"{word}: {name} ({time.monotonic() - started:.0f} s) {problem or ''}", flush=True)

    for test, name_filter in sorted({(mutant.test, mutant.filter) for mutant in mutants}):
        started = time.monotonic()
        sample = next(m for m in mutants if (m.test, m.filter) == (test, name_filter))
        built = compile_target(build, test, options.jobs)
        problem = None
        if built.returncode != 0:
            problem = "does not compile: " + built.stdout[-300:]
        else:
            result, output = run_test(build, sample)
            if result != 0:
                problem = "fails without a bug: " + output.decode(errors="replace")[-600:]
        report(f"without a bug: {test} {name_filter}", problem, started)
    for mutant in mutants:
        started = time.monotonic()
        report(mutant.name, check(copy, build, mutant, options.jobs), started)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
