#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Copies the byte tables of the headers into docs/FORMAT.md, which names them by path and title. tools/tidy.py fails
when they differ."""
import pathlib

from tidylib import format_doc
from tidylib.tree import Tree

ROOT = pathlib.Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    (ROOT / format_doc.DOCUMENT).write_text(format_doc.updated(Tree(ROOT)))
