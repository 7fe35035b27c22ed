"""report.py - the table on the terminal, docs/benchmarks.md, and the picture."""

import datetime
import pathlib
import platform
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
PAGE = TOP / "docs" / "benchmarks.md"
PICTURE = TOP / "docs" / "benchmarks.svg"
BEGIN, END = "<!-- results: written by ./bench -->\n", "<!-- end of the results -->\n"
PACKAGES = ["libc6", "libnsync-dev", "libglib2.0-dev", "libsdl2-dev", "libuv1-dev", "libapr1-dev", "libaprutil1-dev", "libabsl-dev",
            "libtbb-dev", "libgomp1", "libck-dev", "libstdc++6"]


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def number(value):
    if value == 0 or value >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def measured(variant, row):
    """A number, its spread, and its further figures; * for a peer that starves threads."""
    figures = ", ".join(number(value) for value in variant.figures.values())
    star = "*" if variant.kind == "peer" and row.starving(variant) else ""
    star += f" [failed {variant.failures} time]" if variant.failures else ""
    return number(variant.value) + star + (f" ({figures})" if figures else "")


def ratio(value):
    return "" if value is None else f"{value:.2f}"


def cells(row):
    if not row.ours:
        return [row.name, row.unit, "", "", "", "", "", "; ".join(row.failures())]
    spread = row.ours.spread / row.ours.value * 100 if row.ours.value else 0
    peers = ", ".join(f"{one.name} {measured(one, row)}" for one in row.peers + row.others)
    return [row.name, row.unit, f"{measured(row.ours, row)} ±{spread:.0f}%",
            f"{number(row.limit.value)} {row.limit.name}" if row.limit else "", ratio(row.to_limit()),
            ratio(row.to_best()), row.position(), peers]


HEAD = ["row", "unit", "ours", "limit", "x limit", "x best", "", "peers, the best first"]


def print_table(rows):
    table = [HEAD] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD) - 1)]
    for line in table:
        print("  ".join(f"{text:{width}}" for text, width in zip(line, widths)) + "  " + line[-1])


def print_verdict(rows, bad, quick, seconds):
    print(f"\nMeasured in {seconds:.0f} s.")
    for name, text in bad:
        print(f"{name}: {text}")
    failed = len({name for name, _ in bad})
    asked = "within 10 % of the best peer" if quick else "ahead of every peer and within their targets"
    print(f"{len(rows) - failed} of {len(rows)} rows are {asked}.")


def packages():
    query = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}, "] + PACKAGES, capture_output=True, text=True,
                           check=False)
    return query.stdout.rstrip(", ")


def processor():
    """Its name; on x86-64 family and model besides: virtual machines say no more than the maker."""
    known = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M))
    name = known.get("model name", platform.machine())
    return f"{name} (family {known['cpu family']}, model {known['model']})" if "cpu family" in known else name


def kernel():
    return f"{platform.system()} {platform.release().split('-')[0]}"


def compiler():
    return subprocess.run(["c++", "--version"], capture_output=True, text=True, check=False).stdout.splitlines()[0]


def markdown(rows, bad, samples):
    lines = [f"Measured on {datetime.date.today()}: {processor()}, {kernel()}, {compiler()}. Each number is the median of "
             f"{samples} samples.", "", f"Packages: {packages()}.", ""]
    group = None
    for row in rows:
        if row.target.group != group:
            group = row.target.group
            figures = next((one.figures for one in rows if one.target.group == group and one.figures), {})
            lines += ["", f"### {group}", ""]
            if figures:
                names = ", ".join(f"{name} ({unit})" for name, unit in figures.items())
                lines += [f"In brackets, where there are any: {names}.", ""]
            lines += ["| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
        lines.append("| " + " | ".join(cells(row)) + " |")
    lines += ["", "Not as it should be:" if bad else "Every row is as it should be.", ""]
    lines += [f"- {name}: {text}" for name, text in bad]
    return "\n".join(lines).rstrip() + "\n\n"


def write(rows, bad, samples):
    page = PAGE.read_text()
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text(page[:start] + "\n" + markdown(rows, bad, samples) + page[end:])
    draw(rows)
    print(f"Written: {PAGE.relative_to(TOP)}, {PICTURE.relative_to(TOP)}")


LEFT, RIGHT = 0.02, 2000  # of the picture; what lies beyond is put on the edge
PLOT = """
set terminal svg size 900,{height} font "sans-serif,12" background "white"
set output "{picture}"
set title "Cost, as a multiple of ours: left of the line is faster, right of it slower"
set logscale x
set xrange [{left}:{right}]
set yrange [{rows}:-1]
set ytics nomirror scale 0 ({labels})
set xtics nomirror ("0.1" 0.1, "1" 1, "10" 10, "100" 100, "1000" 1000)
set grid xtics
set border 1
set key outside bottom center horizontal
set arrow from 1,-1 to 1,{rows} nohead linewidth 2 linecolor "#2266bb"
plot $peers using 1:2 with points pointtype 6 pointsize 0.5 linecolor "#999999" title "peers", \\
     $best using 1:2 with points pointtype 7 pointsize 0.6 linecolor "#222222" title "best peer", \\
     $limit using 1:2 with points pointtype 9 pointsize 0.6 linecolor "#cc5522" title "limit", \\
     NaN with lines linewidth 2 linecolor "#2266bb" title "threading"
"""


def points(name, pairs):
    return f"${name} << EOD\n" + "".join(f"{x:.4g} {y}\n" for x, y in pairs) + "EOD\n"


def draw(rows):
    """One line a row, a point for everybody at its cost over ours."""
    shown = [row for row in rows if row.ours and row.ours.value and row.peers]
    peers, best, limit = [], [], []
    for y, row in enumerate(shown):
        for one in row.peers + [row.limit]:
            place = best if one is row.best else limit if one is row.limit else peers
            place.append((min(max(one.ratio(row.ours), LEFT), RIGHT), y))
    labels = ", ".join(f'"{row.name}" {y}' for y, row in enumerate(shown))
    script = points("peers", peers) + points("best", best) + points("limit", limit) + PLOT.format(
        height=80 + 20 * len(shown), picture=PICTURE, rows=len(shown), labels=labels,
        left=LEFT, right=RIGHT)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
