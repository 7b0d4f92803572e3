#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Copies the byte tables of the headers into the documents that name them by path and title. tools/tidy.py fails when
they differ."""
import pathlib

from tidylib import format_doc
from tidylib.tree import Tree

ROOT = pathlib.Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    tree = Tree(ROOT)
    for document in format_doc.documents(tree):
        if (text := format_doc.updated(tree, document)) != tree.text(document):
            (ROOT / document).write_text(text)
