#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints the first C++ block of README.md, so that the test can compile and run what readers will copy."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    block = re.search(r"^```cpp\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    if not block:
        sys.exit("README.md has no C++ example")
    sys.stdout.write(block.group(1))
