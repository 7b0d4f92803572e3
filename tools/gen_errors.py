#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes docs/ERRORS.md, docs/errors.json and include/vitrine/error_codes.h from the tables error_codes.def and
error_advice.def of include/vitrine/. tools/tidy.py fails when they are not current."""
import pathlib

from tidylib import errors

ROOT = pathlib.Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    for path, text in errors.outputs((ROOT / errors.CODES).read_text(), (ROOT / errors.ADVICE).read_text()).items():
        (ROOT / path).write_text(text)
