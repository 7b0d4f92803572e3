#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes docs/ERRORS.md from include/vitrine/error_codes.def. tools/tidy.py fails when it is not current."""
import pathlib

from tidylib import errors

ROOT = pathlib.Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    table = (ROOT / "include/vitrine/error_codes.def").read_text()
    (ROOT / "docs/ERRORS.md").write_text(errors.document(table))
