# SPDX-License-Identifier: MIT OR Apache-2.0
"""Plants one violation after the other into a small clean tree. A rule that does not find its own is broken."""
import pathlib
import subprocess
import tempfile

from tidylib import errors
from tidylib.tree import Finding, Tree

_SPDX = "SPDX-License-Identifier: MIT OR Apache-2.0\n"
_ERRORS = "// " + _SPDX + '// Errors.\nVITRINE_ERROR(Misuse, "HANDLE_USE_INVALID", InvalidInput, false, "no")\n'
_ADVICE = "// " + _SPDX + "// Advice.\n" + "".join(
    f'VITRINE_KIND({kind}, "{kind.lower()}", {code}, "wait")\n' for code, kind in enumerate(errors.KINDS, 1)
) + 'VITRINE_ADVICE(Misuse, "do not")\n'
_HEADER = "// " + _SPDX + """// A page.
//
// HEAD (4 bytes)
// OFFSET SIZE FIELD
//      0    2 count
//      2    2 size
#pragma once

#include "base/a.hpp"

// The words new, throw and assert( in comments are fine, and so is "x = 1;" here.
inline const char* text() { return "new throw std::cout printf("; }
"""
_FORMAT = """# Format

<!-- table src/format/page.hpp: HEAD -->
```text
HEAD (4 bytes)
OFFSET SIZE FIELD
     0    2 count
     2    2 size
```
<!-- end -->
"""

CLEAN = {
    "CMakeLists.txt": "# " + _SPDX + "set(VITRINE_LAYERS base os format tree)\n",
    errors.CODES: _ERRORS,
    errors.ADVICE: _ADVICE,
    **errors.outputs(_ERRORS, _ADVICE),
    "docs/FORMAT.md": _FORMAT,
    "docs/adr/0001-first.md": "# 1. First\n",
    "README.md": "# Title\n\nSee [errors](docs/ERRORS.md#kinds) and `[not a link](nowhere.md)`.\n",
    "src/base/a.hpp": "// " + _SPDX + "// A.\n#pragma once\n",
    "src/format/page.hpp": _HEADER,
    "src/os/file.cpp": "// " + _SPDX + "// Files.\n#include <unistd.h>\n\nvoid f() { ::close(3); }\n",
    "src/base/a_test.cpp": "// " + _SPDX + "// Tests.\nTEST(A, does_what_it_says) { int* p = nullptr; delete p; }\n",
    "src/base/a_fuzz.cpp": "// " + _SPDX + "// Fuzzes.\n",
    "fuzz/corpus/base_a/empty": "",
}


def _cpp(body: str) -> str:
    return "// " + _SPDX + "// Planted.\n" + body


def _replaced(path: str, old: str, new: str) -> tuple[str, str]:
    assert old in CLEAN[path]
    return path, CLEAN[path].replace(old, new)


_LONG_FUNCTION = "void f() {\n" + "  g();\n" * 70 + "}\n"
_LONG_TEST = "TEST(A, is_long_enough) {\n" + "  g();\n" * 70 + "}\n"

# (rule, path, content): a rule may have several. Content None removes the file.
PLANTS = [
    ("layer-order", "src/base/b.cpp", _cpp('#include "tree/x.hpp"\n')),
    ("layer-order", "src/format/b_test.cpp", _cpp('#include "tree/x.hpp"\n')),
    ("layer-order", "src/cli/b.cpp", _cpp('#include "tree/x.hpp"\n')),
    ("layer-order", "include/vitrine/b.hpp", _cpp('#pragma once\n#include "base/a.hpp"\n')),
    ("layer-order", "src/tree/b.cpp", _cpp('#include "../base/a.hpp"\n')),
    ("folder-known", "src/pager/b.cpp", _cpp("")),
    ("folder-known", "src/base/deep/b.cpp", _cpp("")),
    ("system-calls", "src/base/b.cpp", _cpp("#include <sys/stat.h>\n")),
    ("system-calls", "src/base/b.cpp", _cpp("void f() { ::open(p, 0); }\n")),
    ("system-calls", "src/base/b.cpp", _cpp("void f() { fsync(1); }\n")),
    ("system-calls", "src/cli/b.cpp", _cpp("void f() { if (fork() == 0) g(); }\n")),
    ("fuzz-corpus", "fuzz/corpus/base_a/empty", None),
    ("banned-calls", "src/base/b_test.cpp", _cpp("void f() { assert(x); }\n")),
    ("banned-calls", "src/base/b.cpp", _cpp("void f() { std::cout << 1; }\n")),
    ("banned-calls", "src/base/b.cpp", _cpp('void f() { std::printf("x"); }\n')),
    ("banned-calls", "src/base/b.cpp", _cpp("int f() { return rand(); }\n")),
    ("banned-calls", "src/base/b.cpp", _cpp("int* f() { return new int; }\n")),
    ("banned-calls", "src/base/b.cpp", _cpp("void f(int* p) { delete p; }\n")),
    ("banned-calls", "src/base/b.cpp", _cpp("void f() { throw 1; }\n")),
    ("banned-calls", "src/tree/b.cpp", _cpp("auto f() { return std::chrono::system_clock::now(); }\n")),
    ("leftovers", "src/base/b.cpp", _cpp("// FIX" "ME later\n")),
    ("leftovers", "src/base/b.cpp", _cpp("  // close(file);\n")),
    ("columns", "src/base/b.cpp", _cpp("// " + "x" * 118 + "\n")),
    ("file-size", "src/base/b.cpp", _cpp("int x;\n" * 600)),
    ("function-size", "src/base/b.cpp", _cpp("namespace {\n" + _LONG_FUNCTION + "}\n")),
    ("function-size", "src/base/b.cpp", _cpp("class A {\n public:\n" + _LONG_FUNCTION + "};\n")),
    ("function-size", "src/base/b_test.cpp", _cpp(_LONG_TEST)),
    ("spdx", "src/base/b.cpp", "// Planted.\n// Without a licence.\n"),
    ("spdx", "tools/b.py", "#!/usr/bin/env python3\n"),
    ("header-guard", "src/base/b.hpp", _cpp("")),
    ("head-comment", "src/base/b.cpp", "// " + _SPDX + "int x;\n"),
    ("test-names", "src/base/b_test.cpp", _cpp("TEST(A, Works) {}\n")),
    ("test-names", "src/base/b_test.cpp", _cpp("TEST(A, test_1) {}\n")),
    ("text-hygiene", "src/base/b.cpp", _cpp("int x; \n")),
    ("text-hygiene", "docs/b.md", "# B\n\tx\n"),
    ("text-hygiene", "docs/b.md", "# B\n\n"),
    ("links", "docs/b.md", "# B\n\n[x](nowhere.md)\n"),
    ("links", "docs/b.md", "# B\n\n[x](ERRORS.md#no-such-heading)\n"),
    ("headings", "docs/b.md", "# B\n\n# C\n"),
    ("decision-numbers", "docs/adr/0001-other.md", "# 1. Other\n"),
    ("foreign-words", "docs/b.md", "# B\n\nThe suba" "gent did it.\n"),
    ("foreign-words", "docs/b.md", "# B\n\nSee /wo" "rk/main.\n"),
    ("errors-documented", "docs/ERRORS.md", "# Errors\n"),
    ("errors-documented", *_replaced("include/vitrine/error_codes.def", '"no"', '"No."')),
    ("errors-documented", *_replaced("include/vitrine/error_advice.def", "Misuse", "Unknown")),
    ("errors-documented", *_replaced("include/vitrine/error_advice.def", "do not", "never")),
    ("errors-documented", "docs/errors.json", "{}\n"),
    ("format-documented", *_replaced("docs/FORMAT.md", "2    2 size", "2    4 size")),
    ("format-documented", *_replaced("src/format/page.hpp", "2    2 size", "1    2 size")),
    ("format-documented", "docs/FORMAT.md", "# Format\n"),
    ("named-tests", "docs/b.md", "# B\n\n`A.does_what_it_says` and `A.does_no_such_thing`\n"),
    ("waivers", "tools/tidy_waivers.txt", "columns src/base/a.hpp not needed\n"),
]


def _write(root: pathlib.Path, files: dict):
    for path, content in files.items():
        if content is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)


def _findings(check, rules, files) -> dict[str, list]:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        subprocess.run(["git", "init", "-q", folder], check=False, capture_output=True)
        _write(root, files)
        return check(Tree(root), rules)


def run(check, rules) -> dict[str, list]:
    """Results in the form of check(): what is wrong with each rule."""
    results = {name: [] for name in ["clean-tree", *rules, "waivers"]}
    for name, findings in _findings(check, rules, CLEAN).items():
        for finding in findings:
            results["clean-tree"].append(Finding(finding.path, finding.line, f"{name} finds '{finding.message}'"))
    planted = {rule for rule, _, _ in PLANTS}
    for name in results:
        if name not in planted and name != "clean-tree":
            results[name].append(Finding("self-test", 0, "nothing is planted for this rule"))
    for number, (rule, path, content) in enumerate(PLANTS):
        found = _findings(check, rules, CLEAN | {path: content})
        if not found[rule]:
            results[rule].append(Finding(path, 0, f"plant {number} was not found"))
    return results
