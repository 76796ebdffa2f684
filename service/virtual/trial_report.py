"""What a trial leaves behind: a table of all patients, plots, and one page to read."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from protocols.schema import Protocol
from service.virtual.figures import Figures
from service.virtual.verdict import FASTER, Group, Results, groups, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIMULATED = (
    "**Everything here is simulated:** virtual patients, virtual circuit. It says nothing about a "
    "patient. This software is not a medical device."
)
TABLE, PAGE, PLOT, LIMITS = "patients.csv", "report.md", "trial.png", "limits.png"


def page(protocol: Protocol, results: Results, about: Mapping[str, str]) -> str:
    """The one-page report as Markdown."""
    lines = [f"# Simulated trial: {protocol.title}", "", SIMULATED, ""]
    lines += [f"- {name}: {text}" for name, text in about.items()]
    lines += ["", "## All controllers", "", *_controllers(results)]
    for group in groups(results) if FASTER in results and len(results) > 1 else []:
        lines += ["", f"## {group.name}: {group.patients} patients", "", *_aims(group)]
    return "\n".join([*lines, ""])


def write(out: Path, protocol: Protocol, results: Results, about: Mapping[str, str]) -> None:
    """Write table, plots and page into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    _write_table(out / TABLE, results)
    _plot(protocol, results).savefig(out / PLOT, dpi=110)
    _limits(protocol, results).savefig(out / LIMITS, dpi=110)
    pictures = f"![Simulated treatments]({PLOT})\n\n![What physics allows]({LIMITS})\n"
    text = page(protocol, results, about)
    (out / PAGE).write_text(f"{text}\n{pictures}", encoding="utf-8")


def _controllers(results: Results) -> list[str]:
    found = {name: summary(figures) for name, figures in results.items()}
    first, *_ = found.values()
    head = ["controller", *first]
    rows = [[name, *row.values()] for name, row in found.items()]
    return _table(head, rows)


def _aims(group: Group) -> list[str]:
    if not group.aims:
        return ["No patient."]
    rows = [[aim.what, aim.target, aim.found, aim.word] for aim in group.aims]
    return _table(["aim", "target", "found", "met"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    text = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return [text[0], "|".join(["", *["---"] * len(head), ""]), *text[1:]]


def _write_table(path: Path, results: Results) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Figures)])
        writer.writeheader()
        for figures in results.values():
            writer.writerows(asdict(each) for each in figures)


PANELS: Mapping[str, tuple[str, float]] = {
    "gate_min": ("gate after heat-up began, min", 1.0),
    "sites_in_band": ("site-minutes in band, %", 100.0),
    "hottest_c": ("hottest site at any time, °C", 1.0),
    "coldest_c": ("coldest site, mean °C", 1.0),
    "core_max_c": ("highest core, °C", 1.0),
    "spread_c": ("spread between sites, °C", 1.0),
}


def _plot(protocol: Protocol, results: Results) -> "Figure":
    # Here, because it takes half a second that no other command of `hipec` should wait for.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(10, 6), layout="constrained")
        figure.suptitle(f"SIMULATED: {protocol.id}. Not a medical device.")
        for axes, (name, (title, scale)) in zip(
            figure.subplots(2, 3).flat, PANELS.items(), strict=True
        ):
            for controller, treated in results.items():
                values = [scale * v for each in treated if (v := getattr(each, name)) is not None]
                shares = [100.0 * (rank + 1) / len(values) for rank in range(len(values))]
                axes.step(sorted(values), shares, where="post", label=controller)
            axes.set_xlabel(title)
            axes.set_ylabel("patients up to here, %")
            axes.grid(alpha=0.3)
        axes.legend()
    return figure


def _limits(protocol: Protocol, results: Results) -> "Figure":
    """What cannot be in this plant, with every patient beside it.

    With the hottest site at the band's upper edge the coldest lies the whole spread below it; and
    a mean that is lowered because the core is at its limit is out of its band.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = (
        ("spread_c", "coldest_c", "spread between sites, °C", "coldest site, mean °C", 1.0),
        ("core_max_c", "mean_in_band_s", "highest core, °C", "mean in band, min", 60.0),
        ("spread_c", "gate_min", "spread between sites, °C", "gate after heat-up began, min", 1.0),
    )
    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(10, 3.6), layout="constrained")
        figure.suptitle(f"SIMULATED: {protocol.id}, what physics allows. Not a medical device.")
        for axes, (x, y, x_text, y_text, unit) in zip(figure.subplots(1, 3), panels, strict=True):
            for controller, treated in results.items():
                pairs = [(getattr(each, x), getattr(each, y)) for each in treated]
                known = [(a, b / unit) for a, b in pairs if a is not None and b is not None]
                across, up = zip(*known, strict=True) if known else ((), ())
                axes.plot(across, up, ".", ms=3, alpha=0.5, label=controller)
            axes.set_xlabel(x_text)
            axes.set_ylabel(y_text)
            axes.grid(alpha=0.3)
        coldest, core, _ = figure.axes
        edge_c, low_c = protocol.target.high_c, protocol.target.low_c
        coldest.plot([0.0, 2.5], [edge_c, edge_c - 2.5], "k-", lw=1, label="hottest at the edge")
        coldest.axhline(low_c, color="k", ls=":", lw=1)
        core.axvline(protocol.limits.core_high_c, color="k", ls=":", lw=1)
        coldest.legend()
    return figure
