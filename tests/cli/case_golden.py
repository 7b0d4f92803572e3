# SPDX-License-Identifier: MIT OR Apache-2.0
"""Golden outputs: what inspect, verify, repair and salvage say of each kind of file (fixtures.py), in tests/golden/.

A golden value "*" stands for what is different in every file: ids, sessions, times. --update builds each fixture twice,
writes what both have in common, and puts "*" where they differ.
"""
import json
import pathlib

import fixtures
import harness
from harness import check_equal

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
VIEWS = ["header", "pages", "log", "tree", "keys", "catalog", "space", "snapshots", "health"]
COMMANDS = [("inspect", view, "a.vtr", "--limit", "12") for view in VIEWS]
COMMANDS += [("inspect", "page", page, "a.vtr", "--limit", "5") for page in ("0", "5", "6")]
COMMANDS += [("verify", "a.vtr"), ("repair", "a.vtr", "--dry-run"), ("salvage", "a.vtr", "--dry-run")]
COMMANDS += [("info", "a.vtr")]


def answers(folder, build):
    """The exit code and the JSON of every command on one fixture."""
    build(folder)
    before = folder.files()
    found = {}
    for words in COMMANDS:
        run = folder.run(*words, "--json")
        found[" ".join(words)] = {"exit": run.code, "answer": run.envelope()}
    check_equal(folder.files(), before, "files")
    return found


def common(first, second, name=""):
    """What two answers have in common; "*" for the rest, and for what is a time or a name of the machine."""
    if name.endswith("_ms") or name in ("filesystem", "owner_process"):
        return "*"
    if isinstance(first, dict) and isinstance(second, dict) and list(first) == list(second):
        return {key: common(first[key], second[key], key) for key in first}
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return [common(*pair) for pair in zip(first, second)]
    return first if first == second else "*"


def differences(golden, found, place=""):
    if golden == "*":
        return []
    if isinstance(golden, dict) and isinstance(found, dict):
        result = [f"{place}.{key}: not there" for key in golden if key not in found]
        result += [f"{place}.{key}: new" for key in found if key not in golden]
        for key in golden:
            if key in found:
                result += differences(golden[key], found[key], f"{place}.{key}")
        return result
    if isinstance(golden, list) and isinstance(found, list) and len(golden) == len(found):
        return [line for i, pair in enumerate(zip(golden, found)) for line in differences(*pair, f"{place}[{i}]")]
    if golden == found:
        return []
    return [f"{place}: expected {harness.shorten(golden, 120)}, got {harness.shorten(found, 120)}"]


def text_of(golden):
    """One line for each command, so that a change shows where it is."""
    lines = [f" {json.dumps(command)}: {json.dumps(answer)}" for command, answer in golden.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def check_fixture(folder, build):
    path = GOLDEN / f"{build.__name__}.json"
    found = answers(folder, build)
    if harness.UPDATE:
        for file in folder.path.iterdir():
            file.unlink()
        path.write_text(text_of(common(found, answers(folder, build))), encoding="utf-8")
        return
    golden = json.loads(path.read_text(encoding="utf-8"))
    wrong = differences(golden, found)
    check_equal(wrong, [], f"{build.__name__}: not as in {path.name}; --update if it should be")


def case_every_kind_of_file_gives_its_golden_answers(folder):
    for build in fixtures.ALL:
        scratch = folder.path / build.__name__
        scratch.mkdir()
        check_fixture(harness.Folder(folder.program, scratch, 1), build)
    names = {build.__name__ for build in fixtures.ALL}
    check_equal({path.stem for path in GOLDEN.glob("*.json")}, names, "golden files")
