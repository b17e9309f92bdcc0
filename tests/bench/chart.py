"""A picture of the CPU per delivery: for each workload a cluster of bars, one bar per server."""

import itertools
import shutil
import subprocess

from report import number

# Chorus stands out; the others are muted. Those that a user adds come after the known ones.
COLOURS = {"chorus": "#0b57d0", "floor": "#c8ced6", "3_queue_each": "#7d8792", "ws": "#8fb996", "ktor": "#b9a3d6"}
FURTHER_COLOURS = ("#e2b07a", "#d99aa5", "#7fb7be", "#c2bd7d")

TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)

TEXT, FAINT, GRID = "#24292f", "#57606a", "#e6eaef"

# Pixels. What is above the bars: title, subtitle, legend.
WIDTH, BAR, LEFT, RIGHT, BELOW = 960, 21, 205, 20, 34
TITLE_AT, SUBTITLE_AT, LEGEND_AT, LEGEND_LINE, ABOVE_BARS = 24, 48, 80, 22, 22
SWATCH, CHARACTER = 13, 7.3  # of the legend; an average character is about that wide

GAP = 0.9  # between clusters, in bars


class Unavailable(Exception):
    """Why there is no picture."""


def quoted(text):
    """As gnuplot reads it: in double quotes, where a backslash and a quote need one before them."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def bounds(values):
    """The ticks that enclose the values, with room for the bar of the least one."""
    low = max([tick for tick in TICKS if tick < min(values) * 0.8], default=TICKS[0])
    return low, max(values) * 2  # the number behind the longest bar needs room


def legend(named):
    """Where (name, colour) go: (x, y, name, colour), in pixels from the upper left."""
    x, y, placed = LEFT, LEGEND_AT, []
    for name, colour in named:
        width = SWATCH + 8 + len(name) * CHARACTER + 20
        if x > LEFT and x + width > WIDTH:
            x, y = LEFT, y + LEGEND_LINE
        placed.append((x, y, name, colour))
        x += width
    return placed


class Layout:
    """Where things are: the bars in units of a bar, from the top; all else in pixels, from the upper left."""

    def __init__(self, servers, workloads):
        further = itertools.cycle(FURTHER_COLOURS)
        self.colours = {server["key"]: COLOURS.get(server["key"]) or next(further) for server in servers}
        self.legend = legend([(server["title"], self.colours[server["key"]]) for server in servers])
        self.cluster = len(servers) + GAP
        self.end = self.cluster * len(workloads) - GAP
        self.above = self.legend[-1][1] + ABOVE_BARS
        self.height = self.above + round(BAR * self.cluster * len(workloads)) + BELOW

    def pixel(self, x, y):
        return f"screen {x / WIDTH:.5f},{1 - y / self.height:.5f}"


def label(text, position, size, colour, bold=False):
    # Only enhanced text can be bold, and in it a name could contain something that is a command.
    text = f"{quoted('{/:Bold ' + text + '}')} enhanced" if bold else f"{quoted(text)} noenhanced"
    return f"set label {text} at {position} left font ',{size}' textcolor rgb '{colour}' front"


def head(layout):
    """The canvas, the title and the legend."""
    yield f"set terminal svg size {WIDTH},{layout.height} font 'sans-serif,13' background '#ffffff' enhanced"
    yield label("Server CPU per delivered message", layout.pixel(20, TITLE_AT), 17, TEXT, bold=True)
    yield label("microseconds on a logarithmic scale, shorter is better; W messages in flight per sender, N receivers, "
                "64 bytes if nothing else is said", layout.pixel(20, SUBTITLE_AT), 12, FAINT)
    for x, y, name, colour in layout.legend:
        yield (f"set object rectangle from {layout.pixel(x, y - SWATCH / 2)} "
               f"to {layout.pixel(x + SWATCH, y + SWATCH / 2)} fillcolor rgb '{colour}' fillstyle solid 1 noborder")
        yield label(name, layout.pixel(x + SWATCH + 8, y), 13, TEXT)


def axes(layout, servers, workloads, low, high):
    """The frame of the bars."""
    middle = (len(servers) - 1) / 2
    names = ", ".join(f"{quoted(workload.title)} {at * layout.cluster + middle}"
                      for at, workload in enumerate(workloads))
    ticks = ", ".join(f"{quoted(str(tick))} {tick}" for tick in TICKS)
    yield from (f"set lmargin at screen {LEFT / WIDTH}", f"set rmargin at screen {1 - RIGHT / WIDTH}",
                f"set tmargin at screen {1 - layout.above / layout.height}",
                f"set bmargin at screen {BELOW / layout.height}",
                "unset key", "set border 0", "set style fill solid 1 noborder",
                "set logscale x", f"set xrange [{low}:{high}]", f"set yrange [{layout.end - 0.3}:-0.7]",
                f"set xtics ({ticks}) scale 0 textcolor rgb '{FAINT}'",
                f"set ytics ({names}) scale 0 textcolor rgb '{TEXT}'",
                f"set grid xtics linetype 1 linewidth 1 linecolor rgb '{GRID}'")


def script(results):
    """What gnuplot is to do."""
    servers = results.servers
    workloads = [workload for workload in results.workloads if workload.is_fan_out and not workload.beside]
    layout = Layout(servers, workloads)
    bars, labels, failures = [], [], []
    for at, workload in enumerate(workloads):
        for place, server in enumerate(servers):
            y = at * layout.cluster + place
            median = results.median(workload, workload.figures[0], server)
            if median is None:
                failures.append((y, results.cell(workload, workload.figures[0], server)))
                continue
            ours = server["key"] == "chorus"
            bars.append((median, y, int(layout.colours[server["key"]][1:], 16)))
            labels.append(label(number(median), f"{median * 1.04:.4g},{y}", 12, TEXT if ours else FAINT, bold=ours))
    if not bars:
        raise Unavailable("no server has a CPU per delivery")
    low, high = bounds([median for median, _, _ in bars])
    labels += [label(why, f"{low * 1.05:.4g},{y}", 12, FAINT) for y, why in failures]
    return "\n".join([
        *head(layout), *axes(layout, servers, workloads, low, high), *labels,
        "$bars << END", *(f"{median} {y} {colour}" for median, y, colour in bars), "END",
        f"plot $bars using 1:2:({low}):1:($2-0.42):($2+0.42):3 with boxxyerror linecolor rgb variable", ""])


def draw(results, path):
    """Writes an SVG."""
    if shutil.which("gnuplot") is None:
        raise Unavailable("there is no gnuplot (on Debian: apt-get install gnuplot-nox)")
    done = subprocess.run(["gnuplot"], input=script(results), capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or not done.stdout:
        raise Unavailable("gnuplot failed: " + done.stderr.strip())
    path.write_text(done.stdout, encoding="utf-8")
