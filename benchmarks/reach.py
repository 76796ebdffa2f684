"""What flow and site spread allow: tables for docs, from the core's own arithmetic.

    python benchmarks/reach.py

The first table is `before_incision` at several flows. The second is physics alone: with the hottest
site held at the band's upper edge, how high the mean and the coldest site can be.
"""

from service.core.what_if import Expected, before_incision
from service.virtual.chosen import protocol_of

FLOWS_ML_MIN = (1000.0, 1200.0, 1500.0, 2000.0, 2400.0)
PROTOCOLS = ("closed-mmc-90", "open-mmc-90")
SPREADS_C = (0.5, 1.0, 1.5, 2.0, 2.5)
HOTTEST_PART = 0.4
"""Of the spread, how much lies above the mean: one well rinsed site, a badly rinsed one."""


def flows() -> str:
    """Gate, core and sites by flow."""
    lines = [
        "| technique | flow l/min | gate, min | mean of the sites | coldest site | core peak |",
        "|---|---|---|---|---|---|",
    ]
    for name in PROTOCOLS:
        protocol = protocol_of(name, "")
        for flow in FLOWS_ML_MIN:
            found = before_incision(protocol, flow)
            lines.append(
                f"| {protocol.technique} | {flow / 1000:.1f} | {_range(found.gate_min)} | "
                f"{_range(found.mean_c)} | {_range(found.coldest_c)} | "
                f"{_range(found.core_peak_c)} |"
            )
    return "\n".join(lines)


def spreads() -> str:
    """The highest mean and coldest site with the hottest site at the upper edge of the band."""
    target = protocol_of(PROTOCOLS[0], "").target
    lines = [
        "| steady spread | highest mean | coldest site then | mean in the band | all in the band |",
        "|---|---|---|---|---|",
    ]
    for spread in SPREADS_C:
        mean, coldest = target.high_c - HOTTEST_PART * spread, target.high_c - spread
        lines.append(
            f"| {spread:.1f} °C | {mean:.2f} °C | {coldest:.2f} °C | "
            f"{_yes(mean >= target.low_c)} | {_yes(coldest >= target.low_c)} |"
        )
    return "\n".join(lines)


def _range(found: Expected | None) -> str:
    if found is None:
        return "not by all"
    return f"{found.low:.1f} - {found.middle:.1f} - {found.high:.1f}"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


if __name__ == "__main__":
    print(f"Lowest, middle and highest of the published range of patients.\n\n{flows()}\n")
    print(spreads())
