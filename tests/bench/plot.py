#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plot.py BENCH.json: draws the ratios that "make bench" measured, as SVG on standard output.

A record has measure, setting, threads, ours, peer, theirs and ratio.  The plot shows on a logarithmic axis how many
times as fast as the peer we are: that is the ratio of two rates, or the inverse ratio of two times.  A ratio may be a
list: the lowest and the highest of several runs.  The plot leaves out records without a ratio and records that compare
with a limit instead of a peer.

The same input always gives the same bytes.
"""
import json
import math
import os
import sys
from xml.sax.saxutils import escape

LIMITS = ("at the least", "at the most", "")
TIMES = ("s", "ms", "seconds", "instructions")
LEFT, PLOT, RIGHT = 370, 430, 100  # labels, plot, figures
ROW, HEAD, TOP, BOTTOM = 20, 28, 64, 34


def speeds(record):
    """(lowest, highest) number of times as fast as the peer."""
    ratio = record["ratio"]
    low, high = ratio if isinstance(ratio, list) else (ratio, ratio)
    if record["measure"] in TIMES or record["measure"].startswith("microseconds"):
        low, high = 1 / high, 1 / low
    return low, high


def label(record):
    threads = record["threads"]
    if threads > 1:
        return f"{record['setting']}, {threads} threads"
    return record["setting"]


def figure(speed):
    return f"{speed:.2f}" if speed < 0.995 else f"{speed:.1f}" if speed < 9.95 else f"{speed:.0f}"


def groups(records):
    """Records by peer, both in the order of the file."""
    found = {}
    for record in records:
        if record["ratio"] and record["peer"] not in LIMITS:
            found.setdefault(record["peer"], []).append(record)
    return found


def ticks(low, high):
    """1, 2 and 5 of each power of ten, from one that is not above `low` to one that is not below `high`."""
    steps = [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5)]
    first = max(i for i, step in enumerate(steps) if step <= low)
    last = min(i for i, step in enumerate(steps) if step >= high)
    return steps[first : last + 1]


class Svg:
    def __init__(self, width, height):
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        ]

    def text(self, x, y, text, more=""):
        self.lines.append(f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, stroke, more=""):
        self.lines.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"{more}/>')

    def dot(self, x, y, fill):
        self.lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}"/>')


def draw(records):
    by_peer = groups(records)
    if not by_peer:
        sys.exit("plot.py: no record has a ratio to a peer")
    plotted = [speeds(record) for group in by_peer.values() for record in group]
    axis = ticks(min(0.5, *(low for low, _ in plotted)), max(2, *(high for _, high in plotted)))
    scale = PLOT / math.log(axis[-1] / axis[0])

    def at(speed):
        return LEFT + scale * math.log(speed / axis[0])

    bottom = TOP + HEAD * len(by_peer) + ROW * len(plotted)
    svg = Svg(LEFT + PLOT + RIGHT, bottom + BOTTOM)
    svg.text(16, 26, "How many times as fast as its peer", ' font-size="16" font-weight="bold"')
    svg.text(16, 46, "1: the same speed. Logarithmic axis. A line from dot to dot: lowest and highest of several runs.",
             ' fill="#555555"')
    for tick in axis:
        one = tick == 1
        svg.line(at(tick), TOP, at(tick), bottom, "#222222" if one else "#dddddd", ' stroke-width="1.5"' if one else "")
        svg.text(at(tick), bottom + 18, f"{tick:g}", ' text-anchor="middle" fill="#555555"')
    y = TOP
    for peer, group in by_peer.items():
        svg.text(16, y + 19, f"vs. {peer}", ' font-weight="bold"')
        y += HEAD
        for record in group:
            low, high = speeds(record)
            middle = y + ROW / 2
            color = "#0b6e4f" if high >= 1 else "#1f5fa8"
            svg.text(28, middle + 4, label(record))
            svg.line(at(1), middle, at(low), middle, "#c8d3dc", ' stroke-width="3"')
            svg.line(at(low), middle, at(high), middle, color, ' stroke-width="3"')
            for speed in sorted({low, high}):
                svg.dot(at(speed), middle, color)
            text = figure(low) if low == high else f"{figure(low)} to {figure(high)}"
            svg.text(LEFT + PLOT + 14, middle + 4, text)
            y += ROW
    svg.lines.append("</svg>")
    return svg.lines


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: plot.py BENCH.json >PLOT.svg")
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = draw(json.load(file))
    print(f"<!-- Made by tests/bench/plot.py of {os.path.basename(sys.argv[1])}. SPDX-License-Identifier: Apache-2.0 -->")
    print("\n".join(lines))


main()
