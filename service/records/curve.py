"""A session's curves for the page of quality assurance: thinned, gaps kept, with what happened."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.core.effects import AlarmChanged, DoseRecorded, PhaseChanged, Recorded, SessionOpened
from service.core.events import Command
from service.core.model import Channel, Mode, Unit, Validity
from service.core.state import State
from service.journal.codec import CODEC
from service.journal.packing import VALIDITIES
from service.journal.replay import opened_with
from service.journal.rows import ROOM, JournalError
from service.journal.samples import Samples, read_samples
from service.journal.store import Store, open_reading
from service.records.times import utc_text

Json = dict[str, Any]
Times = NDArray[np.float64]

MOST_POINTS = 1200
SHORTEST_STEP_S = 1.0
GAP_S = 3.0
"""Readings further apart than this (real seconds) are not joined, as on the live page."""

SHOWN = (Unit.DEG_C, Unit.MMHG, Unit.ML_MIN)
FLAGGED = ("drug", "deviation")
TOLD = tuple(
    kind.__name__
    for kind in (SessionOpened, Command, PhaseChanged, Recorded, AlarmChanged, DoseRecorded)
)
VALID = VALIDITIES.index(Validity.VALID)


def curve(url: str, session: str) -> Json:
    """Times (treatment s since opening), each channel's highest valid reading of each step (None is
    a gap), target, events and dose. Raises JournalError."""
    with closing(open_reading(url)) as store:
        if session == ROOM or session not in store.chains():
            raise JournalError(f"There is no session {session} in {store.where}.")
        items = [CODEC.decode(e.kind, e.body, e.schema) for e in store.spoken(session, TOLD)]
        return _curve(store, session, items)


def _curve(store: Store, session: str, items: list[Any]) -> Json:
    state: State = opened_with(store, session)
    opened = next((item for item in items if isinstance(item, SessionOpened)), None)
    measured = read_samples(store, session)
    begin_ns = opened.at.utc_ns if opened else state.now.utc_ns
    speed = state.room.speed
    lines = _lines(measured, begin_ns, speed)
    last_s = max((float(times[-1]) for times, _, _ in lines.values() if len(times)), default=0.0)
    step_s = max(SHORTEST_STEP_S, ceil(last_s / MOST_POINTS))
    grid_s = np.arange(0.0, last_s + step_s, step_s)
    channels = [channel for channel in state.room.channels if channel.unit in SHOWN]
    return {
        "mode": state.mode.value,
        "simulated": state.mode is not Mode.REAL,
        "speed": speed,
        "opened_utc": utc_text(begin_ns),
        "step_s": step_s,
        "times_s": grid_s.tolist(),
        "target": _target(items),
        "channels": [
            _channel(channel, lines[channel.id], grid_s, step_s, GAP_S * speed)
            for channel in channels
            if channel.id in lines
        ],
        "events": _events(items),
        "dose": _dose(items),
    }


def _lines(
    measured: list[Samples], begin_ns: int, speed: float
) -> Mapping[str, tuple[Times, Times, NDArray[np.bool_]]]:
    """Of each channel: times, values, and which of them are valid, in the order of time."""
    pieces: dict[str, list[tuple[Times, Times, NDArray[np.bool_]]]] = {}
    for samples in measured:
        times = (samples.utc_ns - begin_ns) / 1e9 * speed
        for line, name in enumerate(samples.channels):
            values = samples.values[line]
            valid = (samples.validity[line] == VALID) & np.isfinite(values) & (times >= 0)
            pieces.setdefault(name, []).append((times, values, valid))
    found = {}
    for name, parts in pieces.items():
        times, values, valid = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(times, kind="stable")
        found[name] = (times[order], values[order], valid[order])
    return found


def _channel(
    channel: Channel,
    line: tuple[Times, Times, NDArray[np.bool_]],
    grid_s: Times,
    step_s: float,
    gap_s: float,
) -> Json:
    column = _thinned(*line, grid_s, step_s, gap_s)
    values = [None if np.isnan(one) else round(float(one), 2) for one in column]
    about = {"id": channel.id, "role": channel.role.value, "site": channel.site}
    return about | {"unit": channel.unit.value, "values": values}


def _thinned(
    times: Times,
    values: Times,
    valid: NDArray[np.bool_],
    grid_s: Times,
    step_s: float,
    gap_s: float,
) -> Times:
    """The highest valid reading of each step; between readings that belong together a line."""
    if not valid.any():
        return np.full(len(grid_s), np.nan)
    known = times[valid]
    bad = np.concatenate(([0], np.cumsum(~valid)))
    after = np.searchsorted(known, grid_s)
    inside = (after > 0) & (after < len(known))
    right = np.clip(after, 1, len(known) - 1) if len(known) > 1 else np.zeros_like(after)
    left = np.maximum(right - 1, 0)
    places = np.flatnonzero(valid)
    broken = bad[places[right]] > bad[places[left]]
    joined = inside & (known[right] - known[left] <= gap_s) & ~broken
    column = np.where(joined, np.interp(grid_s, known, values[valid]), np.nan)
    highest = np.full(len(grid_s), np.nan)
    np.fmax.at(highest, np.minimum((known / step_s).astype(int), len(grid_s) - 1), values[valid])
    found: Times = np.where(np.isnan(highest), column, highest)
    return found


def _target(items: list[Any]) -> Json | None:
    opening = next((i for i in items if isinstance(i, Command) and i.protocol is not None), None)
    if opening is None or opening.protocol is None:
        return None
    target = opening.protocol.target
    return {"low_c": target.low_c, "high_c": target.high_c}


def _events(items: list[Any]) -> list[Json]:
    """Phases, drug, deviations and the onsets of alarms, in their order."""
    found = []
    for item in items:
        if isinstance(item, PhaseChanged):
            found.append((item.at, "phase", item.to_phase.replace("_", " ")))
        elif isinstance(item, Recorded) and item.kind in FLAGGED:
            found.append((item.at, item.kind, item.text))
        elif isinstance(item, AlarmChanged) and item.event == "onset":
            found.append((item.at, f"alarm_{item.priority.value}", item.text))
    return [{"at_utc": utc_text(at.utc_ns), "kind": kind, "text": text} for at, kind, text in found]


def _dose(items: list[Any]) -> Json | None:
    told = next((item for item in items if isinstance(item, DoseRecorded)), None)
    if told is None:
        return None
    whole = {name: getattr(told, name) for name in ("treatment_min", "coverage")}
    temperatures = {name: getattr(told, name) for name in ("t90_c", "t50_c", "t10_c")}
    kept = ("name", "cem43_min", "mean_c", "min_c", "max_c", "in_band_min", "coverage")
    courses = [{name: asdict(one)[name] for name in kept} for one in told.figures]
    return whole | temperatures | {"courses": courses}
