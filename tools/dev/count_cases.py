#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints "PASSED FAILED SKIPPED" of a JUnit file of ctest; names the failed cases on stderr."""
import sys
import xml.etree.ElementTree as xml


def main(path: str) -> int:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in xml.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        result = "passed" if status == "run" else "skipped" if status in ("notrun", "disabled") else "failed"
        # ctest also says "notrun" of a program it could not start, which is a failure.
        skipped = case.find("skipped")
        if result == "skipped" and skipped is not None and "SKIP" not in skipped.get("message", ""):
            result = "failed"
        counts[result] += 1
        if result == "failed":
            print(f"  FAILED {case.get('name')}", file=sys.stderr)
    print(counts["passed"], counts["failed"], counts["skipped"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
