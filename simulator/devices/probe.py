"""A sensor lead: what its place has to say, and what a broken or drifting lead makes of it."""

import math
from collections.abc import Callable

from simulator.devices.instrument import FaultSet

Source = Callable[[], float]

OPEN = math.inf
SHORT = -math.inf

PROBE_FAULTS = frozenset({"open", "short", "offset", "drift", "stuck"})


class Probe:
    """One lead on one input; without a source nothing is plugged in, which reads as open."""

    def __init__(self, source: Source | None, *, faults: FaultSet, number: int) -> None:
        self._source = source
        self._faults = faults
        self._number = number
        self._drifted = 0.0
        self._last = OPEN

    def read(self, dt_s: float) -> float:
        """The value in the source's unit; `OPEN` or `SHORT` (infinities) for a broken lead.

        An offset is in that unit, a drift in that unit per minute of plant time.
        """
        drift = self._faults.get("drift", self._number)
        self._drifted = self._drifted + (drift.value or 0.0) * dt_s / 60.0 if drift else 0.0
        if not self._faults.has("stuck", self._number):
            self._last = self._now()
        return self._last

    def _now(self) -> float:
        if self._source is None or self._faults.has("open", self._number):
            return OPEN
        if self._faults.has("short", self._number):
            return SHORT
        offset = self._faults.get("offset", self._number)
        return self._source() + self._drifted + ((offset.value or 0.0) if offset else 0.0)
