# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rules about documents: links that lead somewhere, words that do not belong here, tables that match the code."""
import os
import pathlib
import re

from tidylib import errors, format_doc
from tidylib.tree import Finding, Tree

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def _without_code(text: str) -> str:
    """Markdown with fenced blocks and code spans blanked."""
    text = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group(0)), text)


def _anchors(text: str) -> set[str]:
    anchors = set()
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        anchors.add(re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-"))
    return anchors


def links(tree: Tree):
    """Relative links in documents lead to a file, and to a heading if they name one."""
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        text = _without_code(tree.text(path))
        for number, line in enumerate(text.split("\n"), 1):
            for target in _LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                file = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not (tree.root / file).exists():
                    yield Finding(path, number, f"link to {target}: no such file")
                elif anchor and file.endswith(".md") and anchor not in _anchors(tree.text(file)):
                    yield Finding(path, number, f"link to {target}: no such heading")


def headings(tree: Tree):
    """A document has one title."""
    for path in tree.paths:
        if path.endswith(".md"):
            fenced = re.sub(r"^```.*?^```", "", tree.text(path), flags=re.DOTALL | re.MULTILINE)
            if (count := len(re.findall(r"^# ", fenced, flags=re.MULTILINE))) != 1:
                yield Finding(path, 1, f"{count} titles (lines that begin with '# '), wanted one")


def decision_numbers(tree: Tree):
    """Each decision record has a number of its own."""
    seen: dict[str, str] = {}
    for path in sorted(tree.paths):
        if not (found := re.fullmatch(r"docs/adr/(\d{4})-[^/]+\.md", path)):
            continue
        if (other := seen.setdefault(found.group(1), path)) != path:
            yield Finding(path, 1, f"has the number of {other}")


# Words about the place and the tools where somebody works, not about the project. In pieces, so that this file does
# not contain what it looks for.
_FOREIGN = [
    r"\ba" r"gents?\b", r"\bsuba" r"gent",
    r"\bcla" r"ude\b", r"\banth" r"ropic\b", r"\blan" r"guage mod" r"els?\b", r"\bL" r"LMs?\b", r"\bA" r"I[- ]gen",
    r"(?<![\w.])/wo" r"rk/", r"\bshared/(?:des" r"ign|se" r"eds)", r"\.lib" r"rary/", r"/tmp/te" r"am",
    r"/tmp/bui" r"ld-", r"\bissues sh" r"ow\b", r"\bwork" r"place\b",
    r"\bregistry\.np" r"mjs", r"\bpy" r"pi\.org", r"\bproxy\.gol" r"ang", r"\bindex\.cra" r"tes\.io",
    r"\bdeb\.deb" r"ian",
]


def foreign_words(tree: Tree):
    """Texts and names speak of the project only."""
    pattern = re.compile("|".join(_FOREIGN), re.IGNORECASE)
    for path in tree.paths:
        if path.startswith("fuzz/corpus/") or pathlib.PurePath(path).suffix in (".png", ".vtr", ".bin"):
            continue
        if found := pattern.search(path):
            yield Finding(path, 1, f"'{found.group(0)}' in a file name")
        for number, line in enumerate(tree.lines(path), 1):
            if found := pattern.search(line):
                yield Finding(path, number, f"'{found.group(0)}' does not belong into the project")


def errors_documented(tree: Tree):
    """What tools/gen_errors.py makes of the error tables (docs/ERRORS.md, errors.json, error_codes.h) is current."""
    if errors.CODES not in tree.paths:
        return
    table, advice = tree.text(errors.CODES), tree.text(errors.ADVICE)
    wrong = [Finding(errors.CODES, line, message) for line, message in errors.problems(table)]
    wrong += [Finding(errors.ADVICE, line, message) for line, message in errors.advice_problems(table, advice)]
    yield from wrong
    if wrong:
        return
    for path, text in errors.outputs(table, advice).items():
        if path not in tree.paths or tree.text(path) != text:
            yield Finding(path, 1, "not current: run python3 tools/gen_errors.py")


def format_documented(tree: Tree):
    """The byte tables in docs/ are those of the headers that define them."""
    yield from format_doc.differences(tree)


_TEST_NAME = re.compile(r"`([A-Z]\w*)\.([a-z]\w*_\w+)`")
_TEST = re.compile(r"^(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def named_tests(tree: Tree):
    """Tests that a document names, as `Suite.what_it_checks`, exist."""
    known = {found for path in tree.under("src", "tests") if path.endswith("_test.cpp")
             for found in _TEST.findall(tree.text(path))}
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for name in _TEST_NAME.findall(line):
                if name not in known:
                    yield Finding(path, number, f"there is no test {'.'.join(name)}")


RULES = {
    "links": links,
    "headings": headings,
    "decision-numbers": decision_numbers,
    "foreign-words": foreign_words,
    "errors-documented": errors_documented,
    "format-documented": format_documented,
    "named-tests": named_tests,
}
