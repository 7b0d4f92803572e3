# SPDX-License-Identifier: MIT OR Apache-2.0
"""The byte tables of headers and their copies in documents, most of them in docs/FORMAT.md.

A table is a paragraph of comment lines in a header, with a title in its first line. A document holds the copy between
two marks, so that it reads as a whole and cannot drift:

    <!-- table src/format/meta.hpp: META BLOCK -->
    ```text
    ...
    ```
    <!-- end -->
"""
import re

from tidylib.tree import Finding, Tree, line_of

_COLUMNS = "OFFSET SIZE FIELD"
_MARKED = re.compile(r"<!-- table (\S+): (.+?) -->\n```text\n(.*?)```\n<!-- end -->", re.DOTALL)


def paragraphs(text: str) -> list[tuple[int, str]]:
    """(line, content) of the paragraphs of `//` comments."""
    found = []
    current: list[str] = []
    for number, line in enumerate(text.split("\n") + [""], 1):
        comment = re.match(r"\s*// ?(.*\S)", line)
        if comment:
            current.append(comment.group(1))
        elif current:
            found.append((number - len(current), "\n".join(current) + "\n"))
            current = []
    return found


def table(text: str, title: str) -> str | None:
    return next((content for _, content in paragraphs(text) if content.startswith(title)), None)


def _overlaps(content: str):
    """Rows whose field begins before the one above it ends. Tables may stand side by side."""
    lines = content.split("\n")
    heads = next((line for line in lines if _COLUMNS in line), "")
    starts = [m.start() for m in re.finditer("OFFSET", heads)] + [len(heads) + 1000]
    for begin, stop in zip(starts, starts[1:]):
        end = 0
        for line in lines[lines.index(heads) + 1:]:
            cell = line[max(begin - 1, 0):stop - 1]
            # The first field of a row, and those after it in the same row.
            for field in re.finditer(r"(?:^ *|\s{3,})(\d+) +(\d+) [a-z0-9(]", cell):
                offset, size = int(field[1]), int(field[2])
                if offset < end:
                    yield f"{offset} {size}"
                end = offset + size


def documents(tree: Tree) -> list[str]:
    return [p for p in tree.paths if p.startswith("docs/") and p.endswith(".md")]


def differences(tree: Tree):
    mirrored = set()
    for document in documents(tree):
        text = tree.text(document)
        for mark in _MARKED.finditer(text):
            path, title, copy = mark.groups()
            line = line_of(text, mark.start())
            original = table(tree.text(path), title) if path in tree.paths else None
            if original is None:
                yield Finding(document, line, f"{path} has no table '{title}'")
                continue
            mirrored.add((path, original))
            if original != copy:
                yield Finding(document, line, f"'{title}' differs from {path}: run python3 tools/gen_format_doc.py")
    for path in tree.under("src", suffixes={".hpp"}):
        for line, content in paragraphs(tree.text(path)):
            if _COLUMNS not in content:
                continue
            if (path, content) not in mirrored:
                yield Finding(path, line, f"table '{content[:24].strip()}...' is in no document of docs/")
            for row in _overlaps(content):
                yield Finding(path, line, f"field '{row}' begins inside the one above it")


def updated(tree: Tree, document: str) -> str:
    def replace(mark: re.Match[str]) -> str:
        path, title, copy = mark.groups()
        content = table(tree.text(path), title) if path in tree.paths else None
        return f"<!-- table {path}: {title} -->\n```text\n{content or copy}```\n<!-- end -->"

    return _MARKED.sub(replace, tree.text(document))
