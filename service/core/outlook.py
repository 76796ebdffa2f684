"""What the core foresees, as values for pages, alarms and advice; how sure it is, from its past.

Every forecast is kept until its time has come and then scored against what was read; the ranges
shown are the recorded errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

HORIZONS_S = (120.0, 600.0)
"""Two and ten minutes ahead."""

FIRST_ERROR_C = (0.25, 0.6)
"""Error assumed before the first forecast of each horizon has been scored (derived)."""

ERROR_REMEMBERS = 0.1
RANGE_OVER_ERROR = 2.0
KEPT_EVERY_S = 30.0
CORE, MEAN = "core", "mean"
"""Names of forecasts beside those of the site channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """One temperature at one horizon: the forecast and its range, half of it on each side (°C)."""

    value_c: float
    within_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Forecasts made earlier for this treatment second (°C by name)."""

    at_s: float
    values_c: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Forecasts that wait for their time, and the root mean square error of those past (°C)."""

    waiting: tuple[Due, ...] = ()
    error_c: Mapping[str, float] = field(default_factory=dict)

    def kept(self, due: Due) -> "Scores":
        """One more forecast that waits."""
        return Scores(waiting=(*self.waiting, due), error_c=self.error_c)

    def scored(self, at_s: float, read_c: Mapping[str, float]) -> "Scores":
        """What has become due by now is compared with what is read now."""
        if not self.waiting or self.waiting[0].at_s > at_s:
            return self
        due = self.waiting[0]
        error_c = dict(self.error_c)
        for name, value in due.values_c.items():
            if name in read_c:
                square = (value - read_c[name]) ** 2
                before = error_c.get(name)
                mixed = square if before is None else _mixed(before * before, square)
                error_c[name] = mixed**0.5
        return Scores(waiting=self.waiting[1:], error_c=error_c)


def _mixed(before: float, new: float) -> float:
    return before + ERROR_REMEMBERS * (new - before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From bath to inflow: of bath less reservoir exp(-passes_ml_min / flow) is lost on it."""

    passes_ml_min: float
    looks: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to come if things go on as planned; made every ten treatment seconds.

    `ahead` holds, by name, the forecast at each of `HORIZONS_S`. Times are seconds from `at_s`;
    None is not within forty minutes, or never. Temperatures °C, powers W.
    """

    at_s: float
    ahead: Mapping[str, tuple[Ahead, ...]]
    gate_in_s: float | None
    band_in_s: float | None
    steady_mean_c: float
    steady_hottest_c: float
    steady_coldest_c: float
    core_high_in_s: float | None
    goal_c: float
    decided_by: str
    patient_w: float
    field_w: float
    tubing_w: float | None
    fluid_ml: float
    doubted: tuple[str, ...] = ()
    limit: str = ""
