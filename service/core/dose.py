"""The session's thermal dose: each site, and the T90 and target figures over all sites.

Frames wait in the state until there are enough to sum them up at once, which keeps a frame cheap;
the figures are told when the session closes. They are for the record, not for the live page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from protocols.schema import Target
from service.core import channels, thermal
from service.core.changing import replace
from service.core.effects import DoseFigures, DoseRecorded
from service.core.model import Channel, Phase, Role, Room
from service.core.state import Dose, DosePoint, Session, State
from service.core.thermal import Tally

IN_PATIENT = frozenset({Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE, Phase.DRAIN})
"""Phases in which the sites lie in warm perfusate."""

SUMMED_POINTS = 60
"""So many frames of a device are summed up at once."""

LEAST_SITES = 2
"""Over one site alone there is no T90 and no spread."""

ROUNDING_S = 1e-6

T90, TARGET, SPREAD = "T90", "target", "spread"
EMPTY = Tally()


def remembered(state: State, session: Session, device: str) -> State:
    """Keep the temperatures of a frame that this device has just sent.

    All sites are taken together when the device of the last of them has been read.
    """
    if session.phase not in IN_PATIENT:
        return state
    course = channels.once(state.room, _course, session.protocol.target.role, _course)
    if device != course.device:
        return state
    sites = channels.figures(state, Role.SITE)
    values: tuple[float | None, ...] = sites.valid
    if len(values) < len(course.channels):
        values = tuple([channels.valid_value(state, channel) for channel in course.channels])
    points = (*state.dose.points, (state.treat_s, session.clocks.elapsed_s, values))
    if len(points) > SUMMED_POINTS:
        return replace(state, dose=_summed(state, session, points))
    return replace(state, dose=replace(state.dose, points=points))


def settled(state: State, session: Session) -> Dose:
    """Everything summed up; what comes next does not join on to it."""
    if not state.dose.points:
        return state.dose
    return replace(_summed(state, session, state.dose.points), points=())


def recorded(state: State, session: Session) -> DoseRecorded | None:
    """The figures of the session for its record; None when no site was ever in the patient."""
    began_s = session.began_s.get(Phase.HEAT_UP)
    if began_s is None:
        return None
    ends = (session.began_s.get(phase) for phase in (Phase.RINSE, Phase.COMPLETE))
    whole_s = next((end for end in ends if end is not None), state.treat_s) - began_s
    elapsed_s = session.clocks.elapsed_s
    dose = settled(state, session)
    sites = [channel.id for channel in channels.of_role(state, Role.SITE)]
    bins = _pooled(dose, sites)
    spread = dose.treatment.get(SPREAD, EMPTY)
    covered_s = sum(dose.treatment.get(site, EMPTY).covered_s for site in sites)
    return DoseRecorded(
        at=state.now,
        session=session.id,
        treatment_min=elapsed_s / 60.0,
        whole_min=whole_s / 60.0,
        figures=tuple(_figures(dose, n, elapsed_s, whole_s) for n in (*sites, T90, TARGET)),
        t10_c=thermal.percentile_of_bins(bins, 0.9),
        t50_c=thermal.percentile_of_bins(bins, 0.5),
        t90_c=thermal.percentile_of_bins(bins, 0.1),
        coverage=_share(covered_s, elapsed_s * len(sites)),
        spread_mean_c=_mean_c(spread),
        spread_max_c=_highest_c(spread),
        spread_coverage=_share(spread.covered_s, elapsed_s),
        thresholds_c=thermal.THRESHOLDS_C,
        break_c=thermal.BREAK_C,
        r_at_and_above=thermal.R_AT_AND_ABOVE,
        r_below=thermal.R_BELOW,
        percentile_rule=thermal.PERCENTILE_RULE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a point holds: all sites, then the target's channels where these are not the sites."""

    device: str
    channels: tuple[Channel, ...]
    sites: int
    gap_s: float


def _course(room: Room, target: str) -> Course:
    by_role = {role: tuple(c for c in room.channels if c.role is role) for role in Role}
    sites = by_role[Role.SITE]
    others = () if Role(target) is Role.SITE else by_role[Role(target)]
    own = (*sites, *others)
    gap_s = min((channels.gone_s(channel) for channel in own), default=0.0)
    device = sites[-1].device if sites else ""
    return Course(device=device, channels=own, sites=len(sites), gap_s=gap_s * room.speed)


def _summed(state: State, session: Session, points: tuple[DosePoint, ...]) -> Dose:
    """The points added to the tallies; the last one stays, to go on from it."""
    target = session.protocol.target
    course = channels.once(state.room, _course, target.role, _course)
    counted_s, rest_s = _seconds(points, course.gap_s)
    treatment, rest = dict(state.dose.treatment), dict(state.dose.rest)
    for name, temperatures_c in _temperatures(course, target, points):
        for tallies, seconds in ((treatment, counted_s), (rest, rest_s)):
            if any(seconds):
                before = tallies.get(name, EMPTY)
                band = target.low_c, target.high_c
                tallies[name] = thermal.summed(before, temperatures_c, seconds, band)
    return Dose(points=points[-1:], treatment=treatment, rest=rest)


def _seconds(
    points: tuple[DosePoint, ...], gap_s: float
) -> tuple[list[float | None], list[float | None]]:
    """For each line between two points, the part in which the treatment clock moved, and the rest.

    None is a gap, over which nothing is added.
    """
    treatment: list[float | None] = []
    rest: list[float | None] = []
    for (before_s, clock_before_s, _), (after_s, clock_s, _) in pairwise(points):
        line_s = after_s - before_s
        counted_s = min(line_s, clock_s - clock_before_s)
        left_s = line_s - counted_s
        gap = line_s > gap_s
        treatment.append(None if gap else counted_s)
        rest.append(None if gap else left_s if left_s > ROUNDING_S else 0.0)
    return treatment, rest


def _temperatures(
    course: Course, target: Target, points: tuple[DosePoint, ...]
) -> Iterator[tuple[str, list[float | None]]]:
    """The course of each site and of each figure over the sites or the target's role."""
    for index, channel in enumerate(course.channels[: course.sites]):
        yield channel.id, [values[index] for _, _, values in points]
    sites = [_known(values[: course.sites]) for _, _, values in points]
    aimed = [_known(values[course.sites :]) for _, _, values in points]
    enough = [sorted(known) if len(known) >= LEAST_SITES else None for known in sites]
    yield T90, [thermal.percentile(known, 0.1) if known else None for known in enough]
    yield SPREAD, [known[-1] - known[0] if known else None for known in enough]
    of_target = aimed if len(course.channels) > course.sites else sites
    yield TARGET, [channels.statistic(known, target.statistic) for known in of_target]


def _known(values: tuple[float | None, ...]) -> list[float]:
    return [value for value in values if value is not None]


def _pooled(dose: Dose, sites: list[str]) -> dict[int, int]:
    """All site samples of the treatment, counted by hundredths of a degree."""
    bins: dict[int, int] = {}
    for site in sites:
        tally = dose.treatment.get(site, EMPTY)
        for place, count in enumerate(tally.counts, tally.first_bin):
            bins[place] = bins.get(place, 0) + count
    return bins


def _figures(dose: Dose, name: str, elapsed_s: float, whole_s: float) -> DoseFigures:
    tally, rest = dose.treatment.get(name, EMPTY), dose.rest.get(name, EMPTY)
    return DoseFigures(
        name=name,
        cem43_min=tally.cem43_min,
        cem43_whole_min=tally.cem43_min + rest.cem43_min,
        mean_c=_mean_c(tally),
        min_c=tally.first_bin / thermal.BINS_PER_C if tally.counts else None,
        max_c=_highest_c(tally),
        above_min=tuple(seconds / 60.0 for seconds in tally.above_s),
        in_band_min=tally.inside_s / 60.0,
        longest_outside_min=tally.longest_outside_s / 60.0,
        under_degree_min=tally.under_cs / 60.0,
        over_degree_min=tally.over_cs / 60.0,
        coverage=_share(tally.covered_s, elapsed_s),
        coverage_whole=_share(tally.covered_s + rest.covered_s, whole_s),
    )


def _mean_c(tally: Tally) -> float | None:
    return tally.sum_cs / tally.covered_s if tally.covered_s else None


def _highest_c(tally: Tally) -> float | None:
    if not tally.counts:
        return None
    return (tally.first_bin + len(tally.counts) - 1) / thermal.BINS_PER_C


def _share(part_s: float, whole_s: float) -> float:
    return min(1.0, part_s / whole_s) if whole_s > 0 else 0.0
