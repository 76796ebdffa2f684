"""`hipec simulate`: one treatment of a simulated patient, told as text, JSON or a plot."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from service.core.effects import DoseRecorded
from service.core.model import Phase
from service.core.state import Clocks
from service.virtual.figures import Values
from service.virtual.log import TRACED
from service.virtual.session import VirtualSession
from simulator.plant import SITES

SIMULATED = (
    "SIMULATED: a virtual patient and circuit. Not a medical device; no figure for a patient."
)
CIRCUIT = ("inflow", "outflow", "reservoir", "bath", "nasopharynx", "bladder")
DIGITS = 2


def told(session: VirtualSession, clocks: Clocks | None) -> dict[str, Any]:
    """Everything about a session as JSON values. Times in s from the room's start, °C, ml/min."""
    return {
        "simulated": SIMULATED,
        "protocol": session.setup.protocol.id,
        "technique": session.setup.parameters.technique,
        "controller": session.setup.controller.value,
        "seed": session.setup.seed,
        "phases": [{"phase": phase.value, "at_s": at_s} for at_s, phase in session.log.phases],
        "clocks": _clocks(clocks),
        "alarms": _alarms(session),
        "alarms_per_phase": _per_phase(session),
        "sites": {site: _of_treatment(session, site) for site in SITES},
        "circuit": {name: _of_treatment(session, name) for name in CIRCUIT},
        "doses": _doses(session.log.dose),
        "controller_changes": _lines(session, "controller"),
        "refused": _lines(session, "refused"),
        "interlocks": _lines(session, "interlock"),
        "deviations": _lines(session, "deviation"),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = [
        found["simulated"],
        f"{found['protocol']}, {found['technique']} technique, controller {found['controller']}, "
        f"seed {found['seed']}",
        "",
        "Phases",
        *(f"  {_clock(each['at_s'])}  {each['phase']}" for each in found["phases"]),
        "",
        "Treatment clock",
        *(f"  {name:<12} {_minutes(value)}" for name, value in found["clocks"].items()),
        "",
        "Audible alarms per phase and per hour of it",
    ]
    for phase, each in found["alarms_per_phase"].items():
        lines.append(f"  {phase:<14} {each['audible']:3d}   {each['per_hour']:5.1f}/h")
    lines += ["", "Alarms"]
    for alarm in found["alarms"]:
        if alarm["event"] == "onset":
            lines.append(
                f"  {_clock(alarm['at_s'])}  {alarm['priority']:<6} {alarm['id']}: {alarm['text']}"
            )
    lines += ["", "Temperatures during treatment (°C)         mean    min    max"]
    for name, each in {**found["sites"], **found["circuit"]}.items():
        figures = "  ".join("    -" if v is None else f"{v:5.2f}" for v in each.values())
        lines.append(f"  {name:<38} {figures}")
    if found["doses"]:
        lines += [
            "",
            "Doses, as the core recorded them    CEM43   ≥41   ≥42   ≥43  in band  coverage",
        ]
    for name, each in found["doses"].items():
        *minutes, coverage = each.values()
        figures = " ".join(f"{value:5.1f}" for value in minutes)
        lines.append(f"  {name:<34}{figures}    {coverage:6.1%}")
    for title in ("controller_changes", "interlocks", "deviations", "refused"):
        if found[title]:
            lines += ["", title.replace("_", " ").capitalize()]
            lines += [f"  {_clock(line['at_s'])}  {line['text']}" for line in found[title]]
    return "\n".join(lines)


def plot(session: VirtualSession, path: Path) -> None:
    """Draw sites, circuit, core and flow over the session into a PNG file."""
    # Here, because it takes half a second that no other command of `hipec` should wait for.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    protocol = session.setup.protocol
    minutes = np.array(session.log.trace_s) / 60.0
    trace = np.array(session.log.trace)
    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(10, 6), layout="constrained")
        warm, flow = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        figure.suptitle(f"SIMULATED: {protocol.id}. Not a medical device.")
        for name in (*SITES, *CIRCUIT):
            width = 1.4 if name in SITES else 0.8
            warm.plot(minutes, trace[:, TRACED.index(name)], label=name, linewidth=width)
        warm.axhspan(protocol.target.low_c, protocol.target.high_c, alpha=0.15)
        for at_s, phase in session.log.phases:
            warm.axvline(at_s / 60.0, linewidth=0.5)
            where = (at_s / 60.0, 0.99)
            turned = {"rotation": 90, "va": "top", "ha": "right"}
            warm.annotate(phase.value, where, xycoords=("data", "axes fraction"), **turned)
        warm.set_ylabel("°C")
        warm.set_ylim(34, 48)
        warm.legend(ncols=4, loc="lower right")
        flow.plot(minutes, trace[:, TRACED.index("flow")])
        flow.set_ylabel("flow, ml/min")
        flow.set_xlabel("minutes since the room's start")
        figure.savefig(path, dpi=110)


def ended_clocks(session: VirtualSession) -> Clocks | None:
    """Run to the end of the treatment; the clocks as they stood before the session was closed."""
    clocks: Clocks | None = None

    def over(running: VirtualSession) -> bool:
        nonlocal clocks
        if running.state.session is not None:
            clocks = running.state.session.clocks
        return running.over

    session.run_until(over)
    return clocks


def _clocks(clocks: Clocks | None) -> dict[str, float]:
    if clocks is None:
        return {}
    return {
        "elapsed": clocks.elapsed_s,
        "in band": clocks.in_band_s,
        "out of band": clocks.out_of_band_s,
        "unobserved": clocks.unobserved_s,
    }


def _alarms(session: VirtualSession) -> list[dict[str, Any]]:
    return [
        {
            "at_s": line.at_s,
            "phase": line.phase,
            "id": line.id,
            "source": str(line.source),
            "event": line.event,
            "priority": line.priority.value,
            "text": line.text,
            "audible": line.audible,
        }
        for line in session.log.alarms
    ]


def _per_phase(session: VirtualSession) -> dict[str, dict[str, float]]:
    """How often a sound began in each phase that was entered, and per hour of it."""
    sounded = Counter(line.phase for line in session.log.alarms if line.audible)
    began = [*session.log.phases, (session.now_s, Phase.COMPLETE)]
    found: dict[str, dict[str, float]] = {}
    for (at_s, phase), (until_s, _) in pairwise(began):
        count, hours = sounded[phase.value], (until_s - at_s) / 3600.0
        found[phase.value] = {
            "audible": count,
            "per_hour": round(count / hours, DIGITS) if hours else 0.0,
        }
    return found


def _treatment(session: VirtualSession, name: str) -> Values:
    """A channel's values while the treatment clock ran, empty when it never did."""
    log = session.log
    from_s, to_s = log.began_s(Phase.PERFUSE), log.began_s(Phase.DRAIN)
    if from_s is None:
        return np.array([])
    last_s = session.now_s if to_s is None else to_s
    column = TRACED.index(name)
    return np.array([row[column] for row in log.trace[int(from_s) : int(last_s)]])


def _of_treatment(session: VirtualSession, name: str) -> dict[str, float | None]:
    values = _treatment(session, name)
    if not len(values):
        return {"mean": None, "min": None, "max": None}
    return {
        "mean": round(float(values.mean()), DIGITS),
        "min": round(float(values.min()), DIGITS),
        "max": round(float(values.max()), DIGITS),
    }


def _doses(dose: DoseRecorded | None) -> dict[str, dict[str, float]]:
    """As the core has summed them up from what it was shown, each with its coverage (0 to 1)."""
    if dose is None:
        return {}
    return {
        each.name: {
            "cem43_min": round(each.cem43_min, DIGITS),
            **{
                f"min_{limit_c:g}": round(minutes, DIGITS)
                for limit_c, minutes in zip(dose.thresholds_c, each.above_min, strict=True)
            },
            "in_band_min": round(each.in_band_min, DIGITS),
            "coverage": round(each.coverage, DIGITS + 1),
        }
        for each in dose.figures
    }


def _lines(session: VirtualSession, kind: str) -> list[dict[str, Any]]:
    return [
        {"at_s": line.at_s, "text": line.text} for line in session.log.lines if line.kind == kind
    ]


def _clock(at_s: float) -> str:
    return f"{int(at_s) // 3600}:{int(at_s) // 60 % 60:02d}:{int(at_s) % 60:02d}"


def _minutes(value_s: float) -> str:
    return f"{value_s / 60.0:6.1f} min"
