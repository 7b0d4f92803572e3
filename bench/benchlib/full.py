# SPDX-License-Identifier: MIT OR Apache-2.0
"""The full measurement: more data, larger values, small caches, encryption, and what needs a process of its own."""
import json
import pathlib
import subprocess
import sys

from benchlib import table, targets
from benchlib.table import shortened

_MIB = 1 << 20
_TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
_LARGE_MEMORY_KB = 20 << 20  # ten million records of five stores beside each other, files and caches


def _scaled(run, records: int) -> int:
    """--records changes the base; the other sizes keep their proportion to it."""
    return max(1000, records * run.asked.records // 1_000_000)


def _base(run) -> dict:
    return run.measure(f"{_scaled(run, 1_000_000):,} records of 16 and 100 bytes",
                       records=_scaled(run, 1_000_000), rounds=5, budget_seconds=run.seconds(420))


def _large(run):
    """Cost must stay flat: ten times the records, and how much more an operation costs then."""
    if run.memory_kb() < _LARGE_MEMORY_KB and run.asked.records >= 1_000_000:
        run.add_table("10,000,000 records", "left out: this needs 20 GiB of memory")
        return
    records = _scaled(run, 10_000_000)
    peers = [peer for peer in run.peers if peer in ("lmdb", "lmdb_writemap", "leveldb", "rocksdb", "wiredtiger")]
    names = ["load_rand", "get_1t", "range100", "update_1", "ycsb_a", "ycsb_b"]
    judged = run.measure(f"{records:,} records of 16 and 100 bytes", peers=peers, workloads=names, records=records,
                         cache_size=records * 116 * 5 // 4, rounds=3, budget_seconds=run.seconds(900))
    base = run.judged.get("base")
    if base is None:
        return
    rows = {}
    for store in [targets.SUBJECT] + peers:
        rows[store] = {name: _rate(base[name], store) / (_rate(judged[name], store) or 1)
                       for name in names if name in base and _rate(base[name], store) and _rate(judged[name], store)}
    run.add_table("cost of an operation with ten times the records, as a multiple", table.by_peer(
        rows, [(name, lambda known, name=name: f"{known[name]:.2f}" if name in known else "-") for name in names]))


def _rate(row: dict, store: str):
    return row["vitrine"] if store == targets.SUBJECT else row["peers"].get(store)


def _wide(run):
    names = ["load_seq", "load_rand", "get_1t", "scan", "range100", "update_1", "ycsb_a"]
    run.measure("values of 1 KiB", workloads=names, records=_scaled(run, 300_000), value_size=1024, rounds=3,
                budget_seconds=run.seconds(150))


def _cold(run):
    """The cache holds a quarter of the data. The system still has the files in memory: this measures the cache of the
    store, not the disk. Stores without a cache of their own (LMDB) have nothing to show here."""
    records = _scaled(run, 1_000_000)
    peers = [peer for peer in run.peers if not peer.startswith(("lmdb", "libmdbx"))]
    run.measure("data four times the cache", peers=peers, target=1.0, workloads=["get_1t", "update_1"], records=records,
                cache_size=max(2 * _MIB, records * 116 // 4), rounds=3, budget_seconds=run.seconds(150))


def _encrypted(run):
    if not run.suite.is_built("sqlcipher"):
        run.notes.setdefault("sqlcipher", ["not installed here, or not built"])
        return
    subject = "vitrine_encrypted"
    records = _scaled(run, 300_000)
    run.measure("encrypted, pages in the cache", peers=["sqlcipher"], subject=subject, target=3.0, records=records,
                workloads=["get_1t", "update_1", "commit_1t"], rounds=3, budget_seconds=run.seconds(60))
    run.measure("encrypted, a cache of a sixteenth of the data", peers=["sqlcipher"], subject=subject, target=3.0,
                workloads=["get_1t"], records=records, cache_size=max(2 * _MIB, records * 116 // 16), rounds=3,
                budget_seconds=run.seconds(40))
    run.measure("encrypted beside plain, a cache of a sixteenth of the data", peers=[targets.SUBJECT], subject=subject,
                target=0.5, workloads=["get_1t"], records=records, cache_size=max(2 * _MIB, records * 116 // 16),
                rounds=3, budget_seconds=run.seconds(20))
    run.measure("encrypted beside plain", peers=[targets.SUBJECT], subject=subject, target=0.97, workloads=["get_1t"],
                records=records, rounds=5, budget_seconds=run.seconds(30))


def _processor(run):
    """Each operation by the processor time it takes, which other programs on the machine change little."""
    records = _scaled(run, 300_000)
    stores = [store for store in (targets.SUBJECT, "vitrine_encrypted", "sqlcipher")
              if run.suite.is_built(store.removesuffix("_encrypted"))]
    found = {store: run.suite.for_one("processor", store, records=records, cache_size=records * 116 * 4)
             for store in stores}
    run.add_table("processor time, plain and encrypted", table.by_peer(found, [
        ("warm get, ns", lambda known: f"{known['warm_ns']:,.0f}"),
        ("cold get, ns", lambda known: f"{known['cold_ns']:,.0f}"),
        ("load and checkpoint, MiB/s", lambda known: f"{known['load_mib']:,.0f}"),
        ("durable commit, us", lambda known: f"{known['commit_us']:,.1f}")]))


def _space(run):
    found = run.for_each("space", records=_scaled(run, 300_000))
    best = {what: min((known[what] for peer, known in found.items() if known and peer in targets.BTREES), default=None)
            for what in ("loaded_bytes", "churned_bytes")}

    def beside_best(known, what):
        return f"{known[what] / best[what]:.2f}" if best[what] else "-"

    run.add_table("space: bytes of files for each byte of data, and beside the best B-tree (target: at most 1.1)",
                  table.by_peer(found, [
                      ("loaded", lambda known: f"{known['loaded_bytes'] / known['data_bytes']:.2f}"),
                      ("to best", lambda known: beside_best(known, "loaded_bytes")),
                      ("churned", lambda known: f"{known['churned_bytes'] / known['data_bytes']:.2f}"),
                      ("to best", lambda known: beside_best(known, "churned_bytes"))]))


def _reopen(run):
    pending = _scaled(run, 100_000)
    found = run.for_each("reopen", ask=run.suite.after_kill, loaded=_scaled(run, 200_000), records=pending)
    run.add_table(f"reopen after kill -9 with {pending:,} commits since the last checkpoint", table.by_peer(found, [
        ("milliseconds", lambda known: f"{known['open_seconds'] * 1e3:.1f}"),
        ("commits lost", lambda known: known["missing"])]))


def _memory(run):
    found = run.for_each("memory", records=_scaled(run, 200_000), cache_size=8 * _MIB)
    run.add_table("peak memory of a process that loads and scans with a cache of 8 MiB", table.by_peer(found, [
        ("MiB", lambda known: f"{known['peak_bytes'] / _MIB:.1f}")]))


def _latency(run):
    found = run.for_each("latency", records=_scaled(run, 300_000), cache_size=256 * _MIB, seconds=run.seconds(6))
    points = ["p50", "p99", "p99.9", "p99.99", "max"]
    for kind in ("get", "put"):
        columns = [(point, lambda known, point=point: f"{known[kind][point] / 1e3:.1f}") for point in points]
        run.add_table(f"microseconds of a {kind} while checkpoints run",
                      table.by_peer(found, columns + [("checkpoints", lambda known: known["checkpoints"])]))


# The figures that come with the seed, from its author's machine: they say what is usual there, not here.
_SEED = {"sequential insert": 465, "random insert": 458, "point lookup": 5_068_504, "scan (1280 entries)": 459_770_115,
         "update": 450, "delete": 445, "compact": 133, "concurrent read (4 threads)": 74_423,
         "concurrent write (4 threads)": 423, "mixed (3 readers, 1 writer)": 1_669}


def _seeds(run):
    found = run.for_each("seeds", records=2000, cache_size=64 * _MIB)
    stores = [store for store, known in found.items() if known]
    lines = [["64 operations, durable writes"] + stores + ["tokimo-kvdb, elsewhere"]]
    for row, elsewhere in _SEED.items():
        lines.append([row] + [shortened(found[store].get(row)) for store in stores] + [shortened(elsewhere)])
    run.add_table("the ten rows of tokimo-kvdb, operations a second", table.rows(lines))


def _answer_of(command):
    """The JSON that a program prints, or nothing when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr.strip(), file=sys.stderr)
        return None
    return json.loads(done.stdout)


def _beside_sqlite(row) -> list:
    """Processor time tells what a step costs; the clock, what the disk adds to it."""
    (own, own_clock), (other, other_clock) = row["vitrine"], row["sqlite"]
    return [row["what"], row["each"], f"{own:.2f}", f"{other:.2f}", f"{other / own:.2f}", f"{own_clock:.2f}",
            f"{other_clock:.2f}", f"{other_clock / own_clock:.2f}"]


def _documents(run):
    """The other peers have no documents."""
    packages = run.suite.directory / "packages.ndjson"
    with open(packages, "wb") as file:
        subprocess.run([_TOOLS / "package_documents.sh"], stdout=file, check=False)
    found = _answer_of([run.suite.binaries / "document_figures_bench", packages, run.suite.directory])
    packages.unlink()
    if found:
        lines = [["package index", "each", "vitrine", "sqlite", "ratio", "by the clock", "sqlite", "ratio"]]
        run.add_table("documents beside SQLite, microseconds of the processor, then of the clock",
                      table.rows(lines + [_beside_sqlite(row) for row in found]))
    found = _answer_of([run.suite.binaries / "documents_bench", run.suite.directory])
    if found:
        lines = [["JSON documents, no sync", "vitrine", "FerrumDB, elsewhere"]]
        run.add_table("the rows of FerrumDB, microseconds", table.rows(
            lines + [[row["what"], f"{row['microseconds']:.1f}", row["elsewhere"]] for row in found]))


SECTIONS = {"base": _base, "large": _large, "wide": _wide, "cold": _cold, "encrypted": _encrypted,
            "processor": _processor, "space": _space, "reopen": _reopen, "memory": _memory, "latency": _latency,
            "seeds": _seeds, "documents": _documents}


def run_all(run) -> dict:
    """All sections, or those that were asked for; returns the judgement of the base."""
    for name in run.asked.sections or SECTIONS:
        run.judged[name] = SECTIONS[name](run)
    return run.judged.get("base") or {}
