# SPDX-License-Identifier: MIT OR Apache-2.0
"""What Vitrine wants to reach: ratios to the best peer of the same durability class in the same run."""
import statistics

# name: (what it is, target)
WORKLOADS = {
    "get_1t": ("random get, one snapshot", 2.0),
    "get_snapshot_1t": ("random get, a snapshot each", 2.0),
    "get_2t": ("random get, 2 threads", 1.7),
    "multi_get": ("get in batches of 8, keys", 3.0),
    "scan": ("full scan, entries", 1.5),
    "range100": ("ranges of 100 entries", 1.5),
    "load_seq": ("load in order, 1,000 a transaction", 1.2),
    "load_rand": ("load at random, 1,000 a transaction", 1.5),
    "update_1": ("update, 1 a transaction, no sync", 1.7),
    "commit_1t": ("durable commits, 1 thread", 1.05),
    "commit_8t": ("durable commits, 8 threads", 1.15),
    "commit_32t": ("durable commits, 32 threads", 1.3),
    "ycsb_a": ("YCSB A: half updates", 2.0),
    "ycsb_b": ("YCSB B: 5 % updates", 1.5),
    "ycsb_c": ("YCSB C: reads", 1.5),
    "ycsb_d": ("YCSB D: reads of the latest", 1.5),
    "ycsb_e": ("YCSB E: short ranges", 1.3),
    "ycsb_f": ("YCSB F: read, modify, write", 2.0),
}

# Durable commits also have the bare loop of the machine to stand beside: (limit, share of it to reach).
LIMITS = {
    "commit_1t": ("direct_dsync_4k_per_second", 0.95),
    "commit_8t": ("group_commit_8t_per_second", 0.9),
    "commit_32t": ("group_commit_32t_per_second", 0.9),
}

SUBJECT = "vitrine"


# B-trees, whose space and whose cost in large databases Vitrine's is compared with.
BTREES = ["lmdb", "lmdb_writemap", "libmdbx", "sqlite", "berkeleydb", "wiredtiger", "redb"]


def survives_power(workload: str) -> bool:
    return workload.startswith("commit_")


def judge(name: str, rates: dict, losers: set, subject: str = SUBJECT, target: float | None = None) -> dict:
    """One workload in the form of --json. Losers lose acknowledged commits: they are shown and do not count."""
    medians = {peer: statistics.median(values) for peer, values in rates.items()}
    peers = {peer: rate for peer, rate in medians.items() if peer != subject}
    counted = {peer: rate for peer, rate in peers.items() if survives_power(name) or peer not in losers}
    best = max(counted, key=counted.get, default=None)
    own = medians.get(subject)
    return {"vitrine": own, "peers": peers, "best_peer": best,
            "ratio": own / counted[best] if own and best else None,
            "target": WORKLOADS[name][1] if target is None else target}


def judge_all(measured: dict, losers: set, subject: str = SUBJECT, target: float | None = None) -> dict:
    return {name: judge(name, measured["workloads"][name], losers, subject, target)
            for name in WORKLOADS if name in measured["workloads"]}
