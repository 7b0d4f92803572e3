#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Checks the tree against the rules that no compiler checks. Part of ./dev test.

    tools/tidy.py                 all rules; prints findings, then "N passed, N failed" (one case a rule)
    tools/tidy.py --rule NAME     only this rule
    tools/tidy.py --self-test     every rule must find the violation that is planted for it
    tools/tidy.py --list          the rules

Findings that stay are listed with a reason in tools/tidy_waivers.txt.
"""
import argparse
import dataclasses
import pathlib
import sys

from tidylib import cpp, docs, selftest, structure
from tidylib.tree import Tree

ROOT = pathlib.Path(__file__).resolve().parent.parent
WAIVERS = "tools/tidy_waivers.txt"
RULES = structure.RULES | cpp.RULES | docs.RULES


@dataclasses.dataclass
class Waiver:
    line: int
    rule: str
    path: str
    subject: str
    used: bool = False

    def covers(self, rule, finding) -> bool:
        return (self.rule, self.path) == (rule, finding.path) and self.subject in ("", finding.subject)


def read_waivers(tree: Tree) -> list[Waiver]:
    waivers = []
    if WAIVERS in tree.paths:
        for number, line in enumerate(tree.lines(WAIVERS), 1):
            if line.strip() and not line.startswith("#"):
                rule, where, _reason = line.split(None, 2)  # a waiver without a reason is an error of this file
                path, _, subject = where.partition(":")
                waivers.append(Waiver(number, rule, path, subject))
    return waivers


def check(tree: Tree, rules) -> dict[str, list]:
    """Findings by rule, without those that are waived. "waivers" is a rule too: that each is needed."""
    waivers = read_waivers(tree)
    results = {}
    for name in rules:
        results[name] = []
        for finding in RULES[name](tree):
            covering = [w for w in waivers if w.covers(name, finding)]
            for waiver in covering:
                waiver.used = True
            if not covering:
                results[name].append(finding)
    results["waivers"] = [structure.Finding(WAIVERS, w.line, f"{w.rule} {w.path} {w.subject}: nothing to waive")
                          for w in waivers if not w.used and (w.rule in rules or w.rule not in RULES)]
    return results


def report(results: dict[str, list]) -> int:
    for name, findings in results.items():
        for finding in findings:
            print(f"{finding.path}:{finding.line}: {finding.message} [{name}]")
    failed = sum(1 for findings in results.values() if findings)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rule", action="append", choices=sorted(RULES))
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for name, rule in RULES.items():
            print(f"{name:18} {' '.join(rule.__doc__.split())}")
        return 0
    if arguments.self_test:
        return report(selftest.run(check, RULES))
    return report(check(Tree(ROOT), arguments.rule or RULES))


if __name__ == "__main__":
    sys.exit(main())
