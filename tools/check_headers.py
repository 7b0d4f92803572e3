#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compiles every header alone, so that including one never depends on what was included before it. Public headers are
compiled with include/ only, as a user would. Ends with "N passed, N failed".

Most of the time would go into what the headers include. So a few of them, the bases, are precompiled, and a header
starts with a base that it includes anyway, directly or not: then it has nothing but what it has alone. That what it
includes does not need the base first is what the compilation of that header alone shows."""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
BASES_MAX = 12
PRECOMPILING = 4  # how many times as long it takes as compiling


def is_public(header: pathlib.Path) -> bool:
    return header.is_relative_to(ROOT / "include")


def project_includes(header: pathlib.Path) -> list[pathlib.Path]:
    names = re.findall(r'^#include "([^"]+)"', header.read_text(), re.MULTILINE)
    return [path for name in names for folder in ("src", "include") if (path := ROOT / folder / name).exists()]


def other_includes(header: pathlib.Path) -> list[str]:
    return re.findall(r"^#include <([^>]+)>", header.read_text(), re.MULTILINE)


def closure_of(header: pathlib.Path) -> set[pathlib.Path]:
    """It, and what of the project it includes, directly or not."""
    found, ends = {header}, [header]
    while ends:
        new = [path for path in project_includes(ends.pop()) if path not in found]
        found.update(new)
        ends += new
    return found


class Weights:
    """How much there is to read of a header: bytes of all that it includes."""

    def __init__(self, compiler: str, pool: concurrent.futures.Executor, headers: list[pathlib.Path]):
        self.closures = {header: closure_of(header) for header in headers}
        names = sorted({name for header in headers for name in other_includes(header)})
        self.files = dict(zip(names, pool.map(lambda name: self._files_of(compiler, name), names)))
        self.of = {header: self._weight(header) for header in headers}

    @staticmethod
    def _files_of(compiler: str, name: str) -> set[str]:
        run = subprocess.run([compiler, FLAGS[0], "-M", "-x", "c++", "-"], text=True, capture_output=True, check=False,
                             input=f"#include <{name}>\n")
        return {word for word in run.stdout.split() if word.startswith("/")}

    def _weight(self, header: pathlib.Path) -> int:
        files = {str(path) for path in self.closures[header]}
        for path in self.closures[header]:
            for name in other_includes(path):
                files |= self.files.get(name, set())
        return sum(pathlib.Path(path).stat().st_size for path in files)


def choose_bases(weights: Weights) -> dict[pathlib.Path, pathlib.Path]:
    """The base of each header that has one: the bases that save most, found one after the other."""
    chosen: dict[pathlib.Path, pathlib.Path] = {}

    def saved(header: pathlib.Path) -> int:
        return weights.of[chosen[header]] if header in chosen else 0

    for _ in range(BASES_MAX):
        gains = {base: {header: weights.of[base] - saved(header) for header in weights.of
                        if header != base and base in weights.closures[header] and saved(header) < weights.of[base]
                        and (is_public(base) or not is_public(header))}
                 for base in weights.of if base not in chosen.values()}
        best = max(gains, key=lambda base: sum(gains[base].values()), default=None)
        if best is None or sum(gains[best].values()) < PRECOMPILING * weights.of[best]:
            break
        chosen |= dict.fromkeys(gains[best], best)
    return chosen


def including(header: pathlib.Path) -> str:
    return f'#include "{header.relative_to(ROOT / ("include" if is_public(header) else "src"))}"\n'


def failure_of(compiler: str, header: pathlib.Path, arguments: list) -> str:
    """What the compiler says; empty when it is content."""
    folders = ["-I", ROOT / "include"] + ([] if is_public(header) else ["-I", ROOT / "src"])
    run = subprocess.run([compiler, *FLAGS, *folders, *arguments], text=True, capture_output=True, check=False,
                         input=including(header))
    return run.stderr if run.returncode else ""


def compile_all(compiler: str, headers: list[pathlib.Path], work: pathlib.Path, jobs: int) -> list[str]:
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        chosen = choose_bases(Weights(compiler, pool, headers))
        bases = {base: work / f"{number}.hpp" for number, base in enumerate(sorted(set(chosen.values())))}

        def precompile(base: pathlib.Path) -> bool:
            bases[base].write_text(including(base))
            return not failure_of(compiler, base, ["-x", "c++-header", bases[base], "-o", f"{bases[base]}.gch"])

        ready = {base for base, done in zip(bases, pool.map(precompile, bases)) if done}

        def check(header: pathlib.Path) -> str:
            base = chosen.get(header)
            start = ["-include", bases[base]] if base in ready else []
            return failure_of(compiler, header, ["-fsyntax-only", *start, "-x", "c++", "-"])

        return list(pool.map(check, headers))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()
    headers = sorted(h for folder in ("include", "src") for h in (ROOT / folder).rglob("*.hpp"))
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        for header, failure in zip(headers, compile_all(options.compiler, headers, pathlib.Path(work), options.jobs)):
            if failure:
                failed += 1
                print(f"{header.relative_to(ROOT)} does not compile alone:\n{failure}")
    print(f"{len(headers) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
