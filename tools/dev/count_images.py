#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints how many distinct images the crash tests looked at, from a JUnit file of ctest; fails below a million."""
import re
import sys
import xml.etree.ElementTree as xml

WANTED = 1_000_000


def main(path: str) -> int:
    line = re.compile(r"^crash images: (\d+) distinct", re.M)
    outputs = (case.findtext("system-out") or "" for case in xml.parse(path).getroot().iter("testcase"))
    total = sum(int(count) for output in outputs for count in line.findall(output))
    print(f"total: {total:,} distinct crash images, {WANTED:,} wanted")
    return 0 if total >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
