# SPDX-License-Identifier: MIT OR Apache-2.0
"""A strict reader of OpenMetrics text 1.0.0, as far as Vitrine uses it: what a scraper may refuse is refused."""
import dataclasses
import re

from harness import check, check_equal

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABELS = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_SUFFIXES = {"counter": ["_total"], "gauge": [""], "info": ["_info"], "histogram": ["_bucket", "_count", "_sum"]}


@dataclasses.dataclass
class Family:
    name: str
    type: str
    unit: str = ""
    help: str = ""
    samples: list = dataclasses.field(default_factory=list)  # (suffix, labels, value)


def parse(text):
    """Families by name; AssertionError when the text is not valid."""
    lines = text.split("\n")
    check_equal(lines[-2:], ["# EOF", ""], "the end of the text")
    families, current, part = {}, None, 0
    for line in lines[:-2]:
        if line.startswith("# "):
            _, keyword, name, value = line.split(" ", 3)
            order = {"TYPE": 1, "UNIT": 2, "HELP": 3}[keyword]
            if keyword == "TYPE":
                check(name not in families and value in _SUFFIXES, line)
                current = families[name] = Family(name, value)
            check(current and name == current.name and (order > part or keyword == "TYPE"), f"order of {line}")
            if keyword == "UNIT":
                current.unit = value
                check(name.endswith("_" + value), line)
            elif keyword == "HELP":
                current.help = value
            part = order
        else:
            part = 3
            current.samples.append(sample(line, current))
    for family in families.values():
        check_family(family)
    return families


def sample(line, family):
    found = _SAMPLE.fullmatch(line)
    check(found, f"no sample: {line}")
    suffix = found[1].removeprefix(family.name)
    check(found[1].startswith(family.name) and suffix in _SUFFIXES[family.type], f"{line} in {family.name}")
    labels = dict(_LABELS.findall(found[2] or ""))
    check_equal(",".join(f'{name}="{value}"' for name, value in labels.items()), found[2] or "", "labels")
    return suffix, labels, float(found[3])


def check_family(family):
    check(family.help, f"{family.name} has a meaning")
    keys = [(suffix, tuple(sorted(labels.items()))) for suffix, labels, _ in family.samples]
    check_equal(len(keys), len(set(keys)), f"samples of {family.name}")
    if family.type in ("counter", "histogram"):
        check(all(value >= 0 for _, _, value in family.samples), f"{family.name} is not negative")
    if family.type != "histogram":
        return
    buckets = [(float(labels["le"]), value) for suffix, labels, value in family.samples if suffix == "_bucket"]
    check_equal(buckets, sorted(buckets), f"bounds of {family.name}")
    counts = [value for _, value in buckets]
    check_equal(counts, sorted(counts), f"buckets of {family.name} add up")
    check_equal(buckets[-1][0], float("inf"), f"last bound of {family.name}")
    check_equal([value for suffix, _, value in family.samples if suffix == "_count"], [counts[-1]], family.name)
