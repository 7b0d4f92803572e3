# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rules about what may know what: layers, system calls, where files lie."""
import pathlib
import re

from tidylib.tree import Finding, Tree, is_test, line_of

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
_CLI_MAY_INCLUDE = {"vitrine", "base", "os", "crypto", "cli"}

_SYSTEM_HEADER = re.compile(
    r"^(sys/.*|linux/.*|net/.*|netinet/.*|arpa/.*|unistd\.h|fcntl\.h|dirent\.h|poll\.h|pthread\.h|signal\.h|csignal"
    r"|sched\.h|termios\.h|syslog\.h|pwd\.h|spawn\.h|stdlib\.h|stdio\.h|time\.h)$")
# Names that mean nothing else, and names that need the leading :: to mean the system's function.
_SYSTEM_CALL = re.compile(
    r"(?<![\w.>:])(?:::)?(pread|preadv|preadv2|pwrite|pwritev|pwritev2|mmap|munmap|mremap|msync|madvise|mlock"
    r"|fsync|fdatasync|sync_file_range|fallocate|posix_fallocate|posix_fadvise|ftruncate|fcntl|ioctl|flock|openat"
    r"|unlinkat|renameat2|fstat|statfs|fstatfs|getpid|fork|execve|waitpid|usleep|nanosleep|clock_gettime|sysconf"
    r"|getrandom|syscall)\s*\("
    r"|(?<![\w>])::(open|close|read|write|stat|lstat|rename|unlink|remove|kill|pipe|dup|dup2|truncate|link|mkdir)\s*\(")


def includes(tree: Tree, path: str) -> list[tuple[int, str, str]]:
    text = tree.code(path)
    return [(line_of(text, m.start()), m.group(1), m.group(2)) for m in _INCLUDE.finditer(text)]


def layer_order(tree: Tree):
    """A folder of src/ includes only itself and lower ones; cli only public headers, base, os and crypto; public
    headers only public headers."""
    rank = {layer: i for i, layer in enumerate(tree.layers)}
    for path in tree.under("src", "include"):
        parts = pathlib.PurePath(path).parts
        folder = parts[1] if parts[0] == "src" else "vitrine"
        for line, _, name in includes(tree, path):
            target = name.split("/")[0]
            if target not in rank and target not in ("vitrine", "cli"):
                if ".." in name.split("/"):
                    yield Finding(path, line, f'"{name}": write includes relative to src/ or include/')
                continue
            if folder == "vitrine":
                allowed = target == "vitrine"
            elif folder == "cli":
                allowed = target in _CLI_MAY_INCLUDE
            else:
                allowed = target == "vitrine" or target in rank and rank[target] <= rank.get(folder, -1)
            if not allowed:
                yield Finding(path, line, f'{folder} must not include "{name}": it is not a lower layer')


def folder_known(tree: Tree):
    """Every source lies directly in a folder that the build knows; elsewhere it would never be compiled."""
    known = set(tree.layers) | {"cli"}
    for path in tree.under("src"):
        parts = pathlib.PurePath(path).parts
        if len(parts) != 3 or parts[1] not in known:
            yield Finding(path, 1, "not in a folder src/<layer>/ of CMakeLists.txt: it is never built")


def system_calls(tree: Tree):
    """System headers and system calls only in src/os."""
    for path in tree.under("src", "include"):
        if path.startswith("src/os/"):
            continue
        for line, bracket, name in includes(tree, path):
            if bracket == "<" and _SYSTEM_HEADER.match(name):
                yield Finding(path, line, f"<{name}> belongs to src/os: use os::Env, or the C++ header")
        code = tree.code(path)
        for call in _SYSTEM_CALL.finditer(code):
            name = call.group(1) or call.group(2)
            yield Finding(path, line_of(code, call.start()), f"system call {name}() belongs to src/os: use os::Env")


def fuzz_corpus(tree: Tree):
    """Every fuzz target has a kept corpus, which every test run replays."""
    for path in tree.under("src", "fuzz"):
        if not path.endswith("_fuzz.cpp"):
            continue
        parts = pathlib.PurePath(path).parts
        stem = pathlib.PurePath(path).stem.removesuffix("_fuzz")
        corpus = f"{parts[1]}_{stem}" if parts[0] == "src" else stem
        if not any(p.startswith(f"fuzz/corpus/{corpus}/") for p in tree.paths):
            yield Finding(path, 1, f"no corpus in fuzz/corpus/{corpus}/: run ./dev fuzz {corpus}_fuzz")


RULES = {
    "layer-order": layer_order,
    "folder-known": folder_known,
    "system-calls": system_calls,
    "fuzz-corpus": fuzz_corpus,
}
__all__ = ["RULES", "is_test"]
