# SPDX-License-Identifier: MIT OR Apache-2.0
"""stats: numbers for people, for programs and for monitoring, once and again and again."""
import json
import pathlib
import signal

import openmetrics
from harness import check, check_equal, validator

METRICS_DOC = pathlib.Path(__file__).resolve().parents[2] / "docs" / "METRICS.md"
TICK = ["commits_per_s", "commit_seq", "entries", "checkpoint", "checkpoint_age_ms", "log_used_bytes", "file_bytes",
        "pages_free", "warnings"]


def case_openmetrics_text_is_valid_and_agrees_with_json(folder):
    folder.database({b"%05d" % i: b"v" * 50 for i in range(2000)}, name='a "b"\\.vtr')
    families = openmetrics.parse(folder.reads("stats", 'a "b"\\.vtr', "--openmetrics").out.decode())
    numbers = folder.reads("stats", 'a "b"\\.vtr', "--json").payload()
    for name in ("entries", "pages", "pages_free", "commit_seq", "tree_depth"):
        check_equal(families[f"vitrine_{name}"].samples, [("", {}, numbers[name])], name)
    check_equal(families["vitrine_cache_hits"].type, "counter")
    check_equal(families["vitrine_cache_bytes"].unit, "bytes")
    check_equal(families["vitrine_commit_latency_seconds"].type, "histogram")
    check_equal(families["vitrine_database"].samples[0][1]["path"], 'a \\"b\\"\\\\.vtr')
    scalars = set(numbers) - {"latencies", "warnings"}
    named = {name.removeprefix("vitrine_") for name in families} - {"database", "warning"}
    check_equal(len(named), len(scalars) + len(numbers["latencies"]), "each number is in both")


def case_every_metric_and_warning_is_documented(folder):
    folder.database({b"a": b"1"})
    document = METRICS_DOC.read_text(encoding="utf-8")
    numbers = folder.reads("stats", "a.vtr", "--json").payload()
    names = list(numbers) + [row["of"] + "_latency" for row in numbers["latencies"]]
    missing = [name for name in names if f"`{name}`" not in document and name not in ("latencies", "warnings")]
    check_equal(missing, [], "metrics that METRICS.md does not explain")
    source = (METRICS_DOC.parents[1] / "src" / "kv" / "metrics.cpp").read_text(encoding="utf-8")
    codes = {word for word in source.split('"') if word.startswith("HEALTH_")}
    check(len(codes) > 5, f"{codes}")
    check_equal([code for code in sorted(codes) if f"`{code}`" not in document], [], "warnings without a row")


def case_a_mostly_free_file_is_warned_of(folder):
    folder.database({b"%05d" % i: b"v" * 1000 for i in range(8000)}, options=("--page-size", "4096"))
    folder.ok("delete", "a.vtr", "--all")
    folder.ok("checkpoint", "a.vtr")
    numbers = folder.reads("stats", "a.vtr", "--json").payload()
    check_equal([row["code"] for row in numbers["warnings"]], ["HEALTH_SPACE_FREE"])
    check("vitrine vacuum" in numbers["warnings"][0]["advice"], f"{numbers['warnings']}")
    families = openmetrics.parse(folder.reads("stats", "a.vtr", "--openmetrics").out.decode())
    check_equal(families["vitrine_warning"].samples, [("", {"code": "HEALTH_SPACE_FREE"}, 1.0)])
    health = folder.reads("inspect", "health", "a.vtr", "--json").json()["payload"]["warnings"]
    check_equal(health, numbers["warnings"], "health says the same")
    folder.ok("vacuum", "a.vtr")
    check_equal(folder.reads("stats", "a.vtr", "--json").payload()["warnings"], [])


def case_watch_follows_a_living_writer(folder):
    folder.database({b"before": b"1"})
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    watcher = folder.start("stats", "a.vtr", "--watch", "--interval", "20ms", "--json")
    first = watcher.stdout.readline()
    for i in range(40):
        writer.stdin.write(b"k%03d\tv\n" % i)
        writer.stdin.flush()
        writer.stdout.readline()
    ticks = [json.loads(first)]
    while ticks[-1]["entries"] < 41:
        ticks.append(json.loads(watcher.stdout.readline()))
    check_equal(list(ticks[0]), TICK)
    for tick in ticks:
        validator("stats-tick.json").validate(tick)
    check_equal(ticks[-1]["commit_seq"] - ticks[0]["commit_seq"], 41 - ticks[0]["entries"], "one commit an entry")
    check(any(tick["commits_per_s"] > 0 for tick in ticks[1:]) or len(ticks) == 1, f"{ticks}")
    check(ticks[-1]["log_used_bytes"] > 0, f"{ticks[-1]}")
    watcher.send_signal(signal.SIGINT)
    check_equal(watcher.wait(60), 0, "an interrupt ends the watch in order")
    writer.stdin.close()
    check_equal(writer.wait(60), 0)
    for process in (writer, watcher):
        process.stdout.close()
        process.stderr.close()
    folder.verified("a.vtr")


def case_watch_prints_columns_and_ends_after_its_ticks(folder):
    folder.database({b"a": b"1"})
    lines = folder.reads("stats", "a.vtr", "--watch", "--ticks", "3", "--interval", "10ms").out.decode().splitlines()
    check_equal(lines[0].split(), TICK)
    check_equal([len(line.split()) for line in lines], [len(TICK)] * 4)
    for words in (("--watch", "--openmetrics"), ("--json", "--openmetrics"), ("--watch", "--interval", "0ms")):
        check_equal(folder.run("stats", "a.vtr", *words).code, 2)
