"""The plant's equations for many patients at once, compiled.

The very functions that `Plant` calls are compiled here with numba; only the order in which a step
calls them, the parcels in the tubes and the probes stand here once more. A patient is one element
of two record arrays, `FIGURES` (its parameters) and `BODIES` (everything that changes).

Compiled code is kept on the disk. numba does not see when a function that another one calls has
changed, so what is kept counts for these very sources only: `_stamp` is a part of the kernel.
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numba import njit

from simulator.plant import abdomen, circuit, heat, patient, pressures
from simulator.plant.abdomen import IN_TISSUE, OUTFLOW, PELVIS, SURFACE_OPEN, VOLUME
from simulator.plant.heat import PERFUSATE_J_ML_K
from simulator.plant.parameters import Parameters
from simulator.plant.plant import IAP, LINE_IN, LINE_OUT
from simulator.plant.probes import PLACES

MOST_PARCELS = 64
"""Parcels in a tube: at least a fiftieth of it each, but for the first and the last."""

REGIONS = len(VOLUME)
FIGURES = np.dtype(
    [(f.name, "f8") for f in fields(Parameters) if f.name != "technique"]
    + [("surface_w_k", "f8"), ("mixing_ml_min", "f8"), ("is_open", "?")]
    + [("inflow", "f8", REGIONS), ("follow", "f8", len(PLACES))]
)
TUBE: list[Any] = [
    ("ml", "f8", MOST_PARCELS),
    ("c", "f8", MOST_PARCELS),
    ("since_s", "f8", MOST_PARCELS),
]
TUBE += [("first", "i8"), ("count", "i8"), ("whole_ml", "f8")]
BODIES = np.dtype(
    [(name, "f8") for name in ("pump_ml_min", "bath_set_c", "leak_ml_min", "cooling_w")]
    + [(name, "?") for name in ("heater_on", "inflow_to_patient", "draining")]
    + [(name, "?") for name in ("inflow_clamped", "outflow_blocked")]
    + [(name, "f8") for name in ("now_s", "bath_c", "power_w", "integral_w", "shell_c")]
    + [(name, "f8") for name in ("content_c", "reservoir_ml", "reservoir_c", "cavity_ml")]
    + [(name, "f8") for name in ("core_c", "periphery_c", "flow_ml_min", "line_mmhg")]
    + [(name, "f8") for name in ("outflow_ml_min", "drained_ml", "leaked_ml")]
    + [("fluid_c", "f8", REGIONS), ("tissue_c", "f8", REGIONS), ("settled_c", "f8", len(PLACES))]
    + [("there", TUBE), ("back", TUBE)]
)

_PLAIN: tuple[Callable[..., Any], ...] = (
    heat.exchanged_j,
    heat.lost_j,
    heat.mixed_c,
    patient.spread,
    pressures.turned_ml_min,
    pressures.pushed_mmhg,
    pressures.flowing,
    pressures.passive_return_ml_min,
    pressures.drain_ml_min,
    pressures.elastic_mmhg,
    pressures.line_in_mmhg,
    pressures.line_out_mmhg,
    pressures.iap_mmhg,
    circuit.cooled_c,
    circuit.regulated_w,
    circuit.passed_through,
    circuit.soaked,
    abdomen.weighed,
    abdomen.flowed_through,
    abdomen.stir,
    abdomen.warm_tissue,
    abdomen.give_to_core,
    abdomen.felt,
)
"""In an order in which each calls only those before it."""


def _compiled(functions: tuple[Callable[..., Any], ...]) -> dict[str, Any]:
    """Compiled twins by name; a twin calls twins where the plain function calls plain ones."""
    twins: dict[str, Any] = {}
    for function in functions:
        names = {**function.__globals__, **twins}
        code, name = function.__code__, function.__name__
        twins[name] = njit(FunctionType(code, names, name))
    return twins


_TWINS = _compiled(_PLAIN)
exchanged_j, lost_j, mixed_c = (_TWINS[name] for name in ("exchanged_j", "lost_j", "mixed_c"))
turned_ml_min, pushed_mmhg = _TWINS["turned_ml_min"], _TWINS["pushed_mmhg"]
flowing, elastic_mmhg = _TWINS["flowing"], _TWINS["elastic_mmhg"]
passive_return_ml_min, drain_ml_min = _TWINS["passive_return_ml_min"], _TWINS["drain_ml_min"]
cooled_c, regulated_w, spread = _TWINS["cooled_c"], _TWINS["regulated_w"], _TWINS["spread"]
passed_through, soaked, felt = _TWINS["passed_through"], _TWINS["soaked"], _TWINS["felt"]
flowed_through, weighed, stir = _TWINS["flowed_through"], _TWINS["weighed"], _TWINS["stir"]
warm_tissue, give_to_core = _TWINS["warm_tissue"], _TWINS["give_to_core"]
line_in_mmhg, line_out_mmhg = _TWINS["line_in_mmhg"], _TWINS["line_out_mmhg"]
iap_mmhg = _TWINS["iap_mmhg"]


@njit
def end_c(p: Any, tube: Any, now_s: float) -> float:
    """Temperature at the far end of a tube (°C)."""
    first = tube.first
    times = p.line_loss_w_k / (tube.whole_ml * PERFUSATE_J_ML_K) * (now_s - tube.since_s[first])
    return cooled_c(p.room_c, tube.c[first], times)


@njit
def _enter(p: Any, tube: Any, volume_ml: float, entering_c: float, now_s: float) -> None:
    last = (tube.first + tube.count - 1) % MOST_PARCELS
    if tube.ml[last] >= tube.whole_ml / 50.0:
        last = (last + 1) % MOST_PARCELS
        tube.ml[last], tube.c[last], tube.since_s[last] = volume_ml, entering_c, now_s
        tube.count += 1
        return
    times = p.line_loss_w_k / (tube.whole_ml * PERFUSATE_J_ML_K) * (now_s - tube.since_s[last])
    last_c, total_ml = cooled_c(p.room_c, tube.c[last], times), tube.ml[last] + volume_ml
    tube.c[last] = last_c + (entering_c - last_c) * volume_ml / total_ml
    tube.ml[last], tube.since_s[last] = total_ml, now_s


@njit
def push(p: Any, tube: Any, volume_ml: float, entering_c: float, now_s: float) -> float:
    """Move a tube's content on by this volume; the temperature of what leaves (°C)."""
    if volume_ml <= 0.0:
        return end_c(p, tube, now_s)
    _enter(p, tube, volume_ml, entering_c, now_s)
    leaving_j, remaining_ml = 0.0, volume_ml
    while remaining_ml > 0.0:
        first = tube.first
        part_ml = min(tube.ml[first], remaining_ml)
        leaving_j += part_ml * end_c(p, tube, now_s)
        remaining_ml -= part_ml
        if part_ml < tube.ml[first]:
            tube.ml[first] -= part_ml
        else:
            tube.first, tube.count = (first + 1) % MOST_PARCELS, tube.count - 1
    return leaving_j / volume_ml


@njit
def flow_through(
    p: Any, b: Any, inflow_ml: float, inflow_c: float, outflow_ml: float, evenly: bool
) -> float:
    """As `Abdomen.flow_through`."""
    old_ml, new_ml = b.cavity_ml, max(0.0, b.cavity_ml + inflow_ml - outflow_ml)
    if old_ml + inflow_ml <= 0.0:
        return weighed(VOLUME, b.fluid_c)
    b.cavity_ml = new_ml
    outlet = VOLUME if evenly else OUTFLOW
    return flowed_through(
        b.fluid_c, p.inflow, outlet, old_ml, new_ml, inflow_ml, inflow_c, outflow_ml
    )


@njit
def _give_back(p: Any, b: Any, volume_ml: float, leaving_c: float) -> None:
    returned_c = push(p, b.back, volume_ml, leaving_c, b.now_s)
    b.reservoir_c = mixed_c(b.reservoir_ml, b.reservoir_c, volume_ml, returned_c)
    b.reservoir_ml += volume_ml


@njit
def _flow(p: Any, b: Any, dt_s: float) -> float:
    """Pump, tubes, cavity and leak; the volume that has entered the cavity (mL)."""
    behind_mmhg = elastic_mmhg(p, b.cavity_ml) if b.inflow_to_patient else 0.0
    driven_ml_min = turned_ml_min(p, b.pump_ml_min, b.reservoir_ml)
    if b.inflow_clamped:
        b.flow_ml_min, b.line_mmhg = 0.0, pushed_mmhg(p, b.line_mmhg, driven_ml_min, dt_s)
    else:
        b.flow_ml_min, b.line_mmhg = flowing(
            p, b.flow_ml_min, b.line_mmhg, driven_ml_min, behind_mmhg, dt_s
        )
    moved_ml = min(b.flow_ml_min / 60.0 * dt_s, b.reservoir_ml)
    b.reservoir_ml -= moved_ml
    b.shell_c, b.content_c = passed_through(
        p, b.shell_c, b.content_c, moved_ml, b.reservoir_c, dt_s
    )
    arriving_c = push(p, b.there, moved_ml, b.content_c, b.now_s)
    entering_ml = moved_ml if b.inflow_to_patient else 0.0
    if not b.inflow_to_patient:
        _give_back(p, b, moved_ml, arriving_c)
    _empty(p, b, dt_s, entering_ml, arriving_c)
    return entering_ml


@njit
def _empty(p: Any, b: Any, dt_s: float, entering_ml: float, entering_c: float) -> None:
    """What leaves the cavity: to the reservoir, to the drain bag, through a leak."""
    flow_ml_min = 0.0
    if b.draining:
        flow_ml_min = drain_ml_min(p, b.cavity_ml)
    elif b.inflow_to_patient:
        flow_ml_min = passive_return_ml_min(p, b.cavity_ml)
    if b.outflow_blocked:
        flow_ml_min = 0.0
    b.outflow_ml_min = flow_ml_min
    leaving_ml = flow_ml_min / 60.0 * dt_s
    leaving_c = flow_through(p, b, entering_ml, entering_c, leaving_ml, b.draining)
    if b.draining:
        b.drained_ml += leaving_ml
    else:
        _give_back(p, b, leaving_ml, leaving_c)
    leaking_ml = max(0.0, b.leak_ml_min) / 60.0 * dt_s
    if leaking_ml > 0.0 and b.cavity_ml > 0.0:
        leaking_ml = min(leaking_ml, b.cavity_ml)
        flow_through(p, b, 0.0, 0.0, leaking_ml, True)
    else:
        leaking_ml = min(leaking_ml, b.reservoir_ml)
        b.reservoir_ml -= leaking_ml
    b.leaked_ml += leaking_ml


@njit
def _exchange_heat(p: Any, b: Any, dt_s: float, entering_ml: float) -> None:
    bath_j_k = p.bath_ml * PERFUSATE_J_ML_K
    if b.heater_on:
        b.power_w, b.integral_w = regulated_w(p, b.bath_set_c - b.bath_c, b.integral_w, dt_s)
        b.bath_c += b.power_w * dt_s / bath_j_k
    else:
        b.power_w = b.integral_w = 0.0
    b.shell_c, b.content_c, bath_j, _ = soaked(
        p, b.shell_c, b.content_c, b.bath_c, b.heater_on, dt_s
    )
    b.bath_c -= bath_j / bath_j_k
    b.bath_c -= lost_j(b.bath_c, bath_j_k, p.room_c, p.bath_loss_w_k, dt_s) / bath_j_k
    reservoir_j_k = b.reservoir_ml * PERFUSATE_J_ML_K
    if reservoir_j_k > 0.0:
        lost = lost_j(b.reservoir_c, reservoir_j_k, p.room_c, p.reservoir_loss_w_k, dt_s)
        b.reservoir_c -= lost / reservoir_j_k
    wetted = min(1.0, b.cavity_ml / p.wet_at_ml)
    stirred_ml = wetted * (p.mixing_ml_min / 60.0 * dt_s + p.mixing_per_flow * entering_ml)
    stir(b.fluid_c, b.cavity_ml, stirred_ml * PERFUSATE_J_ML_K / dt_s, dt_s)
    surface = SURFACE_OPEN if p.is_open else VOLUME
    warm_tissue(p, b.fluid_c, b.tissue_c, surface, b.cavity_ml, wetted, dt_s)
    blood_j = give_to_core(p, b.tissue_c, b.core_c, dt_s)
    net_j = blood_j + p.metabolism_w * dt_s - b.cooling_w * dt_s
    b.core_c, b.periphery_c, _ = spread(p, b.core_c, b.periphery_c, net_j, dt_s)


@njit
def truth_c(p: Any, b: Any, place: int) -> float:
    """The temperature at one of the probes' places (°C), by its number in `PLACES`."""
    if place < REGIONS:
        wetted = min(1.0, b.cavity_ml / p.wet_at_ml)
        return felt(b.fluid_c[place], b.tissue_c[place], wetted, IN_TISSUE[place])
    which = place - REGIONS
    if which == 1 and (b.inflow_to_patient or b.draining):
        return weighed(OUTFLOW, b.fluid_c)
    if which <= 1:
        return end_c(p, b.there, b.now_s)
    if which <= 4:
        return (b.reservoir_c, b.content_c, b.bath_c)[which - 2]
    if which == 5:
        return b.core_c
    return b.core_c + p.bladder_pelvis_share * (b.tissue_c[PELVIS] - b.core_c)


@njit
def _noise(seed: Any, stream: int, at_s: float) -> float:
    """As `probes.noise`, in 64-bit arithmetic that wraps around."""
    mixed = seed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(stream) * np.uint64(0xD1B54A32D192ED03)
    mixed += np.uint64(int(at_s * 10.0 + 1e-6))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    word = np.uint64(0xFFFF)
    words = (mixed & word) + (mixed >> np.uint64(16) & word)
    words += (mixed >> np.uint64(32) & word) + (mixed >> np.uint64(48))
    return (float(words) / 65535.0 - 2.0) * 3.0**0.5


_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
_STAMP = crc32(b"".join(path.read_bytes() for path in _SOURCES))


class Kernels(NamedTuple):
    """What a batch calls: `advance(figures, bodies, dt_s, steps)` moves all patients on,
    `settle(figures, bodies)` sets every probe to what it lies in,
    `read(figures, bodies, seeds, biases_c, out)` fills in what all instruments show, and
    `pour(figures, bodies, patient, ml, c, cavity)` pours a volume into cavity or reservoir."""

    advance: Callable[[Any, Any, float, int], int]
    settle: Callable[[Any, Any], int]
    read: Callable[[Any, Any, Any, Any, Any], int]
    pour: Callable[[Any, Any, int, float, float, bool], int]


def _kernels(stamp: int) -> Kernels:
    """The kernels of these sources: `stamp` is what makes numba keep them apart from others."""

    @njit(cache=True)
    def advance(p: Any, b: Any, dt_s: float, steps: int) -> int:
        for index in range(len(b)):
            own, body = p[index], b[index]
            for _ in range(steps):
                body.now_s += dt_s
                entering_ml = _flow(own, body, dt_s)
                _exchange_heat(own, body, dt_s, entering_ml)
                for place in range(len(PLACES)):
                    off_c = truth_c(own, body, place) - body.settled_c[place]
                    body.settled_c[place] += own.follow[place] * off_c
        return stamp

    @njit(cache=True)
    def settle(p: Any, b: Any) -> int:
        for index in range(len(b)):
            for place in range(len(PLACES)):
                b[index].settled_c[place] = truth_c(p[index], b[index], place)
        return stamp

    @njit(cache=True)
    def read(p: Any, b: Any, seeds: Any, biases_c: Any, out: Any) -> int:
        for index in range(len(b)):
            own, body, seed = p[index], b[index], seeds[index]
            for place in range(len(PLACES)):
                noise_c = own.noise_c * _noise(seed, place, body.now_s)
                out[index, place] = body.settled_c[place] + biases_c[index, place] + noise_c
            elastic = elastic_mmhg(own, body.cavity_ml)
            out[index, LINE_IN] = line_in_mmhg(body.line_mmhg, _noise(seed, LINE_IN, body.now_s))
            out[index, LINE_OUT] = line_out_mmhg(
                own,
                elastic,
                body.outflow_ml_min,
                body.outflow_blocked,
                _noise(seed, LINE_OUT, body.now_s),
            )
            drawn = _noise(seed, IAP, body.now_s)
            out[index, IAP] = iap_mmhg(own, body.cavity_ml, body.now_s, drawn)
        return stamp

    @njit(cache=True)
    def pour(p: Any, b: Any, patient: int, ml: float, c: float, cavity: bool) -> int:
        own, body = p[patient], b[patient]
        if cavity:
            flow_through(own, body, ml, c, 0.0, False)
        else:
            body.reservoir_c = mixed_c(body.reservoir_ml, body.reservoir_c, ml, c)
            body.reservoir_ml += ml
        return stamp

    return Kernels(advance, settle, read, pour)


KERNELS = _kernels(_STAMP)
