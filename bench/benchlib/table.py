# SPDX-License-Identifier: MIT OR Apache-2.0
"""The report in the terminal: ratios first, figures after."""
import statistics

from benchlib import targets


def shortened(rate) -> str:
    if rate is None:
        return "-"
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= factor:
            return f"{rate / factor:.3g} {unit}"
    return f"{rate:.3g}"


def spread(values: list) -> str:
    """How far the rounds lie apart, in percent of their median."""
    median = statistics.median(values)
    return f"{(max(values) - min(values)) / median * 100:.0f}" if len(values) > 1 and median else "-"


def rows(lines: list) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(line, widths))).rstrip() for line in lines)


def ratios(judged: dict, measured: dict, subject: str) -> str:
    lines = [["workload", "ratio", "target", "", "own/s", "best peer/s", "best peer", "spread %", "its spread %"]]
    for name, row in judged.items():
        rates = measured["workloads"][name]
        ratio, best = row["ratio"], row["best_peer"]
        lines.append([name, "-" if ratio is None else f"{ratio:.2f}", f"{row['target']:.2f}",
                      "" if ratio is None else "ok" if ratio >= row["target"] else "below",
                      shortened(row["vitrine"]), shortened(row["peers"].get(best)), best or "-",
                      spread(rates[subject]) if subject in rates else "-",
                      spread(rates[best]) if best else "-"])
    return rows(lines)


def figures(judged: dict, losers: set, subject: str) -> str:
    peers = sorted({peer for row in judged.values() for peer in row["peers"]})
    marked = [peer + "*" if peer in losers else peer for peer in peers]
    lines = [["workload", subject] + marked]
    for name, row in judged.items():
        lines.append([name, shortened(row["vitrine"])] + [shortened(row["peers"].get(peer)) for peer in peers])
    return rows(lines)


def by_peer(rows_of: dict, columns: list) -> str:
    """One row a peer; `columns` are (heading, function of what is known about the peer)."""
    lines = [["store"] + [heading for heading, _ in columns]]
    for peer, known in rows_of.items():
        lines.append([peer] + ["-" if known is None else str(show(known)) for _, show in columns])
    return rows(lines)


def limits(judged: dict, found: dict) -> str:
    lines = [["bare limit", "figure/s", "vitrine's share", "target"]]
    of_workload = {limit: (name, share) for name, (limit, share) in targets.LIMITS.items()}
    for limit, figure in found.items():
        name, share = of_workload.get(limit, (None, None))
        own = judged.get(name, {}).get("vitrine") if name else None
        lines.append([limit.removesuffix("_per_second"), shortened(figure),
                      f"{own / figure:.2f}" if own and figure else "", f"{share:.2f}" if own else ""])
    return rows(lines)
