#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Vitrine beside its peers. Part of ./dev bench, which builds what this needs. docs/BENCHMARKS.md explains.

    bench/bench.py --binaries build/bin [--quick | --sections NAMES] [--only NAMES] [--peers NAMES] [--json FILE] ...
"""
import argparse
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from benchlib import full, machine, page, table, targets  # noqa: E402
from benchlib.suite import PEERS, Suite  # noqa: E402

RESULTS = pathlib.Path(__file__).resolve().parent / "results"


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="three minutes; without it and --only: forty")
    parser.add_argument("--sections", type=names, default=[], metavar="NAMES", help="parts of the full measurement: "
                        + ", ".join(full.SECTIONS))
    parser.add_argument("--only", type=names, default=[], metavar="NAMES", help="workloads, with commas between")
    parser.add_argument("--peers", type=names, default=[], metavar="NAMES", help="peers, with commas between")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--value-size", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, help="how long the measurement may take, about")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--binaries", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--directory", default="build/bench-data", help="where the databases are (removed afterwards)")
    asked = parser.parse_args()
    unknown = [name for name in asked.only if name not in targets.WORKLOADS]
    unknown += [name for name in asked.peers if name not in PEERS]
    unknown += [name for name in asked.sections if name not in full.SECTIONS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; workloads: {', '.join(targets.WORKLOADS)}; "
                     f"peers: {', '.join(PEERS)}; sections: {', '.join(full.SECTIONS)}")
    return asked


class Run:
    def __init__(self, asked):
        self.asked = asked
        self.suite = Suite(asked.binaries, asked.directory)
        wanted = asked.peers or [peer for peer in PEERS if peer != "sqlcipher"]
        self.notes = {peer: ["not installed here, or not built"] for peer in wanted if not self.suite.is_built(peer)}
        self.peers = [peer for peer in wanted if self.suite.is_built(peer)]
        self.facts = machine.facts(asked.directory)
        self.losers = self.find_losers()
        self.limits = self.suite.ask("limits", {"seconds": 0.5}) or {}
        self.sections = []
        self.tables = []
        self.judged = {}  # by section of the full measurement

    def memory_kb(self) -> int:
        return int(self.facts["memory"].split()[0])

    def seconds(self, wanted: float) -> float:
        """A share of the full measurement's 40 minutes, or of --seconds in their place."""
        return wanted * (self.asked.seconds or 2400) / 2400

    def find_losers(self) -> set:
        """Those that lose acknowledged commits, made without a sync, when their process is killed."""
        losers = set()
        for peer in self.peers:
            found = self.suite.after_kill(peer, records=2000)
            if found is None or found["missing"]:
                lost = "everything" if found is None else f"{found['missing']} of 2000 acknowledged commits"
                self.notes.setdefault(peer, []).append(f"loses {lost} at kill -9 without sync: does not count there")
                losers.add(peer)
        return losers

    def measure(self, title: str, peers=None, subject=targets.SUBJECT, target=None, **settings) -> dict:
        """One interleaved measurement as a section of the report; returns it judged."""
        print(f"== {title}", file=sys.stderr)
        measured = self.suite.measure(peers=[subject] + (self.peers if peers is None else peers), **settings)
        for peer, texts in measured["notes"].items():
            self.notes.setdefault(peer, []).extend(texts)
        for load, records in measured.get("records", {}).items():
            if records != settings.get("records"):
                title += f" ({load}: {records:,} only, for lack of time)"
        judged = targets.judge_all(measured, self.losers, subject, target)
        self.sections.append({"title": title, "judged": judged, "measured": measured, "subject": subject})
        print(f"\n{title}\n\n{table.ratios(judged, measured, subject)}\n\n"
              f"{table.figures(judged, self.losers, subject)}\n", flush=True)
        return judged

    def add_table(self, title: str, text: str):
        self.tables.append({"title": title, "text": text})
        print(f"\n{title}\n\n{text}\n", flush=True)

    def for_each(self, mode: str, ask=None, **settings) -> dict:
        """What each store answers, asked in a process of its own."""
        print(f"== {mode}", file=sys.stderr)
        ask = ask or (lambda peer, **more: self.suite.for_one(mode, peer, **more))
        return {peer: ask(peer, **settings) for peer in [targets.SUBJECT] + self.peers}

    def machine(self) -> dict:
        return {"facts": self.facts | {"load_after": round(os.getloadavg()[0], 2)}, "limits": self.limits}

    def report(self) -> dict:
        return {"machine": self.machine(), "losers": sorted(self.losers), "notes": self.notes,
                "sections": self.sections, "tables": self.tables}


def quick(run: Run) -> dict:
    asked = run.asked
    # What is not the measurement itself (limits, kills, opening) takes about half a minute.
    seconds = asked.seconds or 140
    return run.measure(f"{asked.records:,} records of 16 and {asked.value_size} bytes", workloads=asked.only,
                       records=asked.records, value_size=asked.value_size, rounds=asked.rounds, budget_seconds=seconds)


def write_results(report: dict, kind: str) -> pathlib.Path:
    RESULTS.mkdir(exist_ok=True)
    stamp = report["machine"]["facts"]["time"][:16].replace(":", "")
    path = RESULTS / f"{stamp}-{kind}.html"
    path.write_text(page.page(report), encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return path


def main() -> int:
    run = Run(arguments())
    asked = run.asked
    is_full = not (asked.quick or asked.only)
    judged = full.run_all(run) if is_full else quick(run)
    print(table.limits(judged, run.limits) + "\n")
    for peer, texts in run.notes.items():
        for text in texts:
            print(f"{peer}: {text}")
    if asked.json:
        answer = {"machine": run.machine(), "workloads": judged, "notes": run.notes}
        asked.json.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    print(f"\n{write_results(run.report(), 'full' if is_full else 'quick')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
