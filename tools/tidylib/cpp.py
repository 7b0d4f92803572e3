# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rules about C++ text: banned calls with their replacement, sizes, names of tests."""
import pathlib
import re

from tidylib.tree import Finding, Tree, is_test, line_of

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 120

# Where a ban holds. "product": src/ and include/ without tests; "library": the product without cli.
_BANS = [
    ("all", r"(?<![\w.>])assert\s*\(", "VITRINE_ASSERT, which is on in every build"),
    ("all", r"(?<![\w.>])(?:std::)?s?rand\s*\(", "base::Prng, or Env::random_bytes"),
    ("all", r"std::(?:mt19937(?:_64)?|default_random_engine)\b", "base::Prng, which gives the same numbers everywhere"),
    ("product", r"std::random_device\b", "Env::random_bytes"),
    ("all", r"(?<![\w.>])(?:std::)?(?:strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", "std::string, std::to_chars"),
    ("all", r"(?<![\w.>])(?:std::)?(?:atoi|atol|atoll|atof)\s*\(", "std::from_chars, which reports errors"),
    ("all", r"\busing\s+namespace\s+std\s*;", "names with std::"),
    ("product", r"(?<![\w.><])new\b(?!\s*\()", "std::make_unique or a container"),
    ("product", r"(?<!=\s)(?<!=)(?<!operator )\bdelete\b(?!\s*;)", "std::unique_ptr"),
    ("product", r"(?<![\w.>])(?:std::)?(?:malloc|calloc|realloc|free)\s*\(", "std::vector, os memory blocks"),
    ("product", r"\bthrow\b(?!\s*;)", "a Status: nothing is thrown"),
    ("product", r"std::(?:endl|regex)\b", "'\\n'; a hand-written match"),
    ("library", r"std::(?:cout|cerr|clog)\b|<iostream>", "a Status or a report: libraries do not print"),
    ("library", r"(?<![\w.>])(?:std::)?(?:printf|fprintf|puts|fputs|putchar|perror)\s*\(",
     "a Status or a report: libraries do not print"),
    ("library", r"(?<![\w.>])(?:std::)?(?:exit|quick_exit|_exit)\s*\(", "a Status: libraries do not exit"),
    ("library", r"std::chrono::(?:system|high_resolution)_clock\b", "Env::wall_ms; for deadlines steady_clock"),
    ("library", r"std::this_thread::sleep|std::filesystem\b|<fstream>|<filesystem>", "os::Env, which can be simulated"),
    ("library", r"(?<![\w.>])(?:std::)?(?:getenv|setenv)\s*\(", "an option"),
]


def _in_scope(scope: str, path: str) -> bool:
    if scope == "all":
        return True
    product = path.startswith(("src/", "include/")) and not is_test(path)
    if scope == "product":
        return product
    # src/os is where clocks, files and sleeping come from.
    return product and not path.startswith(("src/cli/", "src/os/"))


def banned_calls(tree: Tree):
    """Calls that have a better replacement, which the finding names."""
    compiled = [(scope, re.compile(pattern), advice) for scope, pattern, advice in _BANS]
    for path in tree.under("src", "include", "tests", "fuzz", "bench", "tools"):
        code = tree.code(path)
        for scope, pattern, advice in compiled:
            if not _in_scope(scope, path):
                continue
            for found in pattern.finditer(code):
                word = found.group(0).strip(" (")
                # A factory with a private constructor hands its new object straight to a smart pointer.
                line = code[code.rfind("\n", 0, found.start()) + 1:found.start()]
                if word == "new" and re.search(r"_ptr<.*>\s*\w*\($|\.reset\($", line):
                    continue
                yield Finding(path, line_of(code, found.start()), f"{word}: use {advice}", word)


_COMMENTED_CODE = re.compile(r"^\s*// ?[A-Za-z_:>.\-\[\]()*&<]+.*(\);|\) \{|\};|[\w)] = [^ ]+;)\s*$")
_MARKER = re.compile(r"\b(FIX" r"ME|XX" r"X|HA" r"CK)\b")


def leftovers(tree: Tree):
    """No commented-out code, no marker of unfinished work."""
    for path in tree.under("src", "include", "tests", "fuzz", "bench") + tree.scripts():
        for number, line in enumerate(tree.lines(path), 1):
            if found := _MARKER.search(line):
                yield Finding(path, number, f"{found.group(1)}: do it, or write TODO with the condition that ends it")
            if path.endswith((".cpp", ".hpp")) and _COMMENTED_CODE.match(line):
                yield Finding(path, number, "looks like commented-out code (examples are indented by three spaces)")


def columns(tree: Tree):
    """At most 120 columns. Rows of .def tables are one line each and may be longer."""
    for path in tree.under("src", "include", "tests", "fuzz", "bench", "tools") + tree.scripts():
        if path.endswith(".def"):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > COLUMNS_MAX:
                yield Finding(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")


def file_size(tree: Tree):
    """Files stay small enough to read in one go."""
    for path in tree.under("src", "include", "tests", "fuzz", "bench", "tools") + tree.scripts():
        count = len(tree.lines(path)) - 1
        if count > FILE_LINES_MAX:
            yield Finding(path, 1, f"{count} lines, at most {FILE_LINES_MAX}: split it by subject")


def functions(code: str):
    """Yields (name, first line, line count) of function bodies. A heuristic on braces: a block whose head has a
    parameter list and that lies in namespaces and classes only is a function."""
    depth_of_function = None
    stack = []
    head_start = 0
    start = name = None
    for i, char in enumerate(code):
        if char in ";" and depth_of_function is None:
            head_start = i + 1
        elif char == "{":
            stack.append(i)
            if depth_of_function is not None:
                continue
            head = re.sub(r"(?m)^\s*#.*$", "", code[head_start:i]).strip()
            head = re.sub(r"^(public|private|protected)\s*:", "", head).strip()
            is_container = re.match(r"(inline\s+)?(namespace|class|struct|union|enum|extern)\b", head) and \
                not re.search(r"\)\s*(const|noexcept|override|final|->.*)?\s*$", head) or \
                re.match(r"template\b.*\b(class|struct)\s+\w+[^()]*$", head, re.DOTALL)
            if not is_container and "(" in head and not re.search(r"=\s*$", head):
                depth_of_function = len(stack)
                start = head_start + (len(code[head_start:i]) - len(code[head_start:i].lstrip()))
                called = re.search(r"([~\w:]+)\s*\(", head)
                name = called.group(1) if called else "?"
                if name.startswith("TEST"):
                    name = "".join(re.findall(r"TEST\w*\s*\(([^)]*)", head)[:1]).replace(" ", "")
            else:
                head_start = i + 1
        elif char == "}":
            if stack:
                stack.pop()
            if depth_of_function is not None:
                if len(stack) < depth_of_function:
                    yield name, line_of(code, start), line_of(code, i) - line_of(code, start) + 1
                    depth_of_function = None
                    head_start = i + 1
            else:
                head_start = i + 1


def function_size(tree: Tree):
    """A function fits on a screen."""
    for path in tree.under("src", "include", "tests", "fuzz", "bench", "tools", suffixes={".cpp", ".hpp"}):
        for name, line, count in functions(tree.code(path)):
            if count > FUNCTION_LINES_MAX:
                yield Finding(path, line, f"{name} has {count} lines, at most {FUNCTION_LINES_MAX}", name)


def spdx(tree: Tree):
    """The first line (the second after #!) names the licence."""
    wanted = "SPDX-License-Identifier: MIT OR Apache-2.0"
    for path in tree.under("src", "include", "tests", "fuzz", "bench", "tools") + tree.scripts():
        lines = tree.lines(path)
        line = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if not line.endswith(wanted):
            yield Finding(path, 1, f"first line: {wanted}")


def header_guard(tree: Tree):
    """Headers begin with #pragma once, and say what they are."""
    for path in tree.under("src", "include", "tests", "fuzz", "bench", suffixes={".hpp", ".h"}):
        if not re.search(r"^#pragma once$", tree.text(path), re.MULTILINE):
            yield Finding(path, 1, "no #pragma once")


def _explained_by(path: str) -> list[str]:
    if not path.endswith(".cpp"):
        return []
    stem = re.sub(r"(_test)?\.cpp$", "", path)
    others = [stem + ".hpp", f"include/vitrine/{pathlib.PurePath(stem).name}.hpp"]
    return others + ([stem + ".cpp"] if path.endswith("_test.cpp") else [])


def head_comment(tree: Tree):
    """A file begins by saying what it is. For X.cpp the head of X.hpp is enough, for X_test.cpp that of X."""
    for path in tree.under("src", "include", "tests", "fuzz", "bench"):
        lines = tree.lines(path)
        if any(other in tree.paths for other in _explained_by(path)):
            continue
        if len(lines) < 2 or not lines[1].startswith("//"):
            yield Finding(path, 2, "no comment that says what this file is")


_TEST_NAME = re.compile(r"^(TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)


def test_names(tree: Tree):
    """A test is named by the behaviour that it checks: snake_case words, not a number."""
    for path in tree.under("src", "tests", suffixes={".cpp"}):
        code = tree.code(path)
        for found in _TEST_NAME.finditer(code):
            name = found.group(3)
            if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) or re.fullmatch(r"(test|case|issue)_?\d+", name):
                yield Finding(path, line_of(code, found.start()),
                              f"test {found.group(2)}.{name}: name the behaviour, as snake_case words")


_TEXT_SUFFIXES = {".cpp", ".hpp", ".h", ".def", ".py", ".sh", ".cmake", ".md", ".txt", ".json", ".in"}


def text_hygiene(tree: Tree):
    """No tabs, no trailing blanks, no carriage returns, one newline at the end."""
    for path in tree.paths:
        if pathlib.PurePath(path).suffix not in _TEXT_SUFFIXES or path.startswith(("fuzz/corpus/", "tests/data/")):
            continue
        text = tree.text(path)
        for number, line in enumerate(text.split("\n"), 1):
            if re.search(r"[ \t\r]$", line):
                yield Finding(path, number, "blanks at the end of the line")
            elif "\t" in line:
                yield Finding(path, number, "a tab: write \\t in literals, blanks elsewhere")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield Finding(path, text.count("\n") + 1, "the file must end with exactly one newline")


RULES = {
    "banned-calls": banned_calls,
    "leftovers": leftovers,
    "columns": columns,
    "file-size": file_size,
    "function-size": function_size,
    "spdx": spdx,
    "header-guard": header_guard,
    "head-comment": head_comment,
    "test-names": test_names,
    "text-hygiene": text_hygiene,
}
