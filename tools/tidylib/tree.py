# SPDX-License-Identifier: MIT OR Apache-2.0
"""The files that the rules look at, and C++ text without its comments and literals."""
import dataclasses
import functools
import pathlib
import re
import subprocess

CODE_SUFFIXES = {".cpp", ".hpp", ".h", ".def"}
SCRIPT_SUFFIXES = {".py", ".sh", ".cmake"}


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str
    subject: str = ""  # what a waiver can name beside the path, such as a function


class Tree:
    """All files of the repository that are not ignored, by relative path."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        listing = subprocess.run(
            ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            capture_output=True, check=False)
        if listing.returncode == 0:
            names = listing.stdout.decode().split("\0")
        else:  # an unpacked archive
            names = [str(p.relative_to(root)) for p in root.rglob("*")]
        self.paths = sorted(n for n in set(names) if n and (root / n).is_file() and not n.startswith("build/"))

    @functools.lru_cache(maxsize=None)
    def text(self, path: str) -> str:
        return (self.root / path).read_bytes().decode("utf-8", errors="surrogateescape")

    @functools.lru_cache(maxsize=None)
    def code(self, path: str) -> str:
        return strip_comments_and_literals(self.text(path))

    def lines(self, path: str) -> list[str]:
        return self.text(path).split("\n")

    def under(self, *folders: str, suffixes: set[str] = frozenset(CODE_SUFFIXES)) -> list[str]:
        return [p for p in self.paths
                if pathlib.PurePath(p).suffix in suffixes and any(p.startswith(f + "/") for f in folders)]

    def scripts(self) -> list[str]:
        return [p for p in self.paths
                if pathlib.PurePath(p).suffix in SCRIPT_SUFFIXES
                or pathlib.PurePath(p).name in ("CMakeLists.txt", "dev") or p == ".ci/run"]

    @functools.cached_property
    def layers(self) -> list[str]:
        """The layer order, from CMakeLists.txt."""
        found = re.search(r"set\(VITRINE_LAYERS ([a-z ]+)\)", self.text("CMakeLists.txt"))
        assert found, "CMakeLists.txt has no VITRINE_LAYERS"
        return found.group(1).split()


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\\\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def strip_comments_and_literals(text: str) -> str:
    """The same text with comments and the insides of literals blanked: offsets and lines stay what they are. The
    names in #include lines stay too."""

    def blank(found: re.Match[str]) -> str:
        token = found.group(0)
        if token.startswith('"'):
            start = text.rfind("\n", 0, found.start()) + 1
            if re.match(r"\s*#\s*include\b", text[start:found.start()]):
                return token
        inside = re.sub(r"[^\n]", " ", token)
        return token[0] + inside[1:-1] + token[-1] if token[0] in "\"'" else inside

    return _TOKEN.sub(blank, text)


def is_test(path: str) -> bool:
    """Code that is not part of the product."""
    name = pathlib.PurePath(path).name
    return (path.startswith(("tests/", "fuzz/", "bench/", "tools/")) or name.endswith(("_test.cpp", "_fuzz.cpp"))
            or name.startswith("testing"))
