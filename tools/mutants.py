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
again. First every test that is used must pass without a bug. The test of one bug runs while the next bug is compiled.
Ends with `N passed, N failed`.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

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


def compile_targets(build, targets, jobs):
    return subprocess.run(["cmake", "--build", build, "-j", str(jobs), "--target", *targets],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_test(program, mutant):
    """The exit code, None after too long a time, -1 when no test ran; and what it said."""
    environment = dict(os.environ, VITRINE_TEST_SCALE="small", VITRINE_SEED="1")
    try:
        done = subprocess.run([program, "--gtest_filter=" + mutant.filter, "--gtest_brief=1"], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_MAX, cwd=program.parent)
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


def problem_without(program, mutant):
    result, output = run_test(program, mutant)
    return "fails without a bug: " + output.decode(errors="replace")[-600:] if result != 0 else None


def problem_with(program, mutant):
    result, _ = run_test(program, mutant)
    program.unlink()
    return "survived" if result == 0 else "no test ran" if result == -1 else None


def build_with(copy, build, mutant, jobs):
    """A program of its own that has the bug, or a problem."""
    original = (copy / mutant.file).read_text()
    problem = plant(copy, mutant)
    if problem:
        return None, problem
    try:
        built = compile_targets(build, [mutant.test], jobs)
        if built.returncode != 0:
            return None, "does not compile: " + built.stdout[-300:]
        program = build / f"{mutant.test}-{mutant.name}"
        shutil.copy(next(build.rglob(mutant.test)), program)
        return program, None
    finally:
        (copy / mutant.file).write_text(original)


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, problem):
        self.passed, self.failed = (self.passed, self.failed + 1) if problem else (self.passed + 1, self.failed)
        print(f"{'failed' if problem else 'passed'}: {name} {problem or ''}", flush=True)


def check_without_bugs(build, mutants, others, pool, report, jobs):
    built = compile_targets(build, sorted({mutant.test for mutant in mutants}) + others, jobs)
    if built.returncode != 0:
        return report.add("without a bug", "does not compile: " + built.stdout[-300:])
    samples = {(mutant.test, mutant.filter): mutant for mutant in mutants}
    runs = {key: pool.submit(problem_without, next(build.rglob(key[0])), samples[key]) for key in sorted(samples)}
    for (test, name_filter), run in runs.items():
        report.add(f"without a bug: {test} {name_filter}", run.result())
    return None


def check_bugs(copy, build, mutants, pool, report, jobs):
    runs = []
    # Bugs of one file follow each other: the file is compiled without a bug only after the last of them. Those of
    # headers come last, since after them all that includes the header is compiled once more.
    for mutant in sorted(mutants, key=lambda mutant: (mutant.file.endswith(".hpp"), mutant.file, mutant.name)):
        program, problem = build_with(copy, build, mutant, jobs)
        if problem:
            report.add(mutant.name, problem)
        else:
            runs.append((mutant.name, pool.submit(problem_with, program, mutant)))
        while runs and (runs[0][1].done() or len(runs) > jobs):
            name, run = runs.pop(0)
            report.add(name, run.result())
    for name, run in runs:
        report.add(name, run.result())


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

    report = Report()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        # All of the product once, since nothing else of ./dev test compiles each source by itself.
        others = [] if options.names else ["vitrine_program"]
        check_without_bugs(build, mutants, others, pool, report, options.jobs)
        check_bugs(copy, build, mutants, pool, report, options.jobs)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
