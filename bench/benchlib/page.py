# SPDX-License-Identifier: MIT OR Apache-2.0
"""The report as one HTML page with drawings in SVG, without anything from elsewhere."""
import html
import statistics

from benchlib import targets
from benchlib.table import shortened

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2733; }
h1, h2 { font-weight: 600; } h2 { margin-top: 2.5rem; } table { border-collapse: collapse; }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; } figure { margin: 1.2rem 0; }
figcaption { font-weight: 600; } svg text { font: 12px system-ui, sans-serif; fill: #1b2733; }
.own { fill: #0b7285; } .peer { fill: #adb5bd; } .lost { fill: #e9ecef; } .below { fill: #e8590c; }
.line { stroke: #1b2733; stroke-dasharray: 3 3; } .whisker { stroke: #495057; } small { color: #5c6770; }
@media (prefers-color-scheme: dark) { body { background: #14191f; color: #dbe2e8; } svg text { fill: #dbe2e8; }
  .line { stroke: #dbe2e8; } .peer { fill: #5c6770; } .lost { fill: #343b42; } }
"""
_LEFT, _WIDTH, _ROW = 150, 560, 20


def _svg(height: int, parts: list, label: str) -> str:
    return (f'<svg role="img" aria-label="{html.escape(label)}" viewBox="0 0 {_LEFT + _WIDTH + 110} {height}" '
            f'width="100%">' + "".join(parts) + "</svg>")


def ratio_chart(judged: dict) -> str:
    """One bar a workload: the ratio to the best peer, with a mark at the target."""
    rows = [(name, row) for name, row in judged.items() if row["ratio"] is not None]
    if not rows:
        return ""
    top = max(max(row["ratio"], row["target"]) for _, row in rows) * 1.05
    parts = []
    for i, (name, row) in enumerate(rows):
        y = i * _ROW
        kind = "own" if row["ratio"] >= row["target"] else "below"
        mark = _LEFT + row["target"] / top * _WIDTH
        parts.append(f'<text x="0" y="{y + 14}">{name}</text>'
                     f'<rect class="{kind}" x="{_LEFT}" y="{y + 3}" width="{row["ratio"] / top * _WIDTH:.1f}" '
                     f'height="{_ROW - 7}"/>'
                     f'<line class="whisker" stroke-width="2" x1="{mark:.1f}" x2="{mark:.1f}" y1="{y + 1}" '
                     f'y2="{y + _ROW - 2}"/>'
                     f'<text x="{_LEFT + _WIDTH + 8}" y="{y + 14}">{row["ratio"]:.2f} ({row["best_peer"]})</text>')
    equal = _LEFT + _WIDTH / top
    parts.append(f'<line class="line" x1="{equal:.1f}" x2="{equal:.1f}" y1="0" y2="{len(rows) * _ROW}"/>')
    return _svg(len(rows) * _ROW + 4, parts, "ratio to the best peer, by workload")


def rate_chart(rates: dict, losers: set, subject: str) -> str:
    """One bar a store: the median, with a line from the slowest round to the fastest."""
    order = sorted(rates, key=lambda peer: -statistics.median(rates[peer]))
    top = max(max(values) for values in rates.values()) or 1
    parts = []
    for i, peer in enumerate(order):
        y, values = i * _ROW, rates[peer]
        median = statistics.median(values)
        low, high = (_LEFT + edge / top * _WIDTH for edge in (min(values), max(values)))
        kind = "own" if peer == subject else "lost" if peer in losers else "peer"
        parts.append(f'<text x="0" y="{y + 14}">{peer}{"*" if peer in losers else ""}</text>'
                     f'<rect class="{kind}" x="{_LEFT}" y="{y + 3}" width="{median / top * _WIDTH:.1f}" '
                     f'height="{_ROW - 7}"/>'
                     f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y + 10}" y2="{y + 10}"/>'
                     f'<text x="{_LEFT + _WIDTH + 8}" y="{y + 14}">{shortened(median)}/s</text>')
    return _svg(len(order) * _ROW + 4, parts, "operations a second, by store")


def _table(pairs) -> str:
    return "<table>" + "".join(f"<tr><th>{html.escape(str(key))}</th><td>{html.escape(str(value))}</td></tr>"
                               for key, value in pairs) + "</table>"


def page(report: dict) -> str:
    losers = set(report["losers"])
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8"><title>Vitrine beside its peers</title>',
             f"<style>{_STYLE}</style><h1>Vitrine beside its peers</h1>",
             "<p>Ratios to the best peer of the same durability class in the same run. The mark is the target, the "
             "dashed line is equality. A peer with a star lost acknowledged commits when its process was killed, and "
             "does not count where nothing is synced.</p>"]
    for section in report["sections"]:
        judged, measured = section["judged"], section["measured"]
        parts.append(f"<h2>{html.escape(section['title'])}</h2>" + ratio_chart(judged))
        for name in judged:
            not_counted = set() if targets.survives_power(name) else losers
            parts.append(f"<figure><figcaption>{name}: {targets.WORKLOADS[name][0]}</figcaption>"
                         + rate_chart(measured["workloads"][name], not_counted, section["subject"]) + "</figure>")
    for extra in report.get("tables", []):
        parts.append(f"<h2>{html.escape(extra['title'])}</h2><pre>{html.escape(extra['text'])}</pre>")
    parts.append("<h2>The machine</h2>" + _table(report["machine"]["facts"].items()))
    parts.append("<h2>Its bare limits, in the same run</h2>" +
                 _table((name, shortened(figure)) for name, figure in report["machine"]["limits"].items()))
    peers = report["sections"][0]["measured"].get("peers", {}) if report["sections"] else {}
    parts.append("<h2>Configurations</h2>" +
                 _table((f"{name} {peer['version']}", peer["configuration"]) for name, peer in peers.items()))
    notes = [(peer, text) for peer, texts in report["notes"].items() for text in texts]
    if notes:
        parts.append("<h2>Notes</h2>" + _table(notes))
    return "\n".join(parts) + "</html>\n"
