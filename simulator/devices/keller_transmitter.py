"""One KELLER 33X transmitter: channels, zero, STAT byte and initialisation, without its bytes."""

import math
from dataclasses import dataclass

from simulator.devices.probe import OPEN, SHORT, Probe

BAR_PER_MMHG = 1.33322387415e-3
TEMPERATURES = (3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransmitterSettings:
    """One transmitter. What the manual leaves to the individual device is a setting: which
    channels are active, class and group, range in bar, who an answer to address 250 names."""

    address: int = 1
    serial_number: int = 1_208_331
    identity: tuple[int, int, int, int, int] = (5, 20, 12, 40, 10)
    channels: frozenset[int] = frozenset({1, 3, 4})
    range_bar: tuple[float, float] = (-1.0, 3.0)
    housing_c: float = 23.4
    answers_as_250: bool = True


class Transmitter:
    """One address: pressure P1 in bar from a source in mmHg, STAT byte, initialisation."""

    def __init__(self, probe: Probe, settings: TransmitterSettings) -> None:
        self.settings = settings
        self._probe = probe
        self.zero_bar = 0.0
        self.power_up()
        self.sample(0.0)

    def power_up(self) -> None:
        """After power-up the KELLER bus answers exception 32 until F48 was asked."""
        self.initialised = False

    def sample(self, dt_s: float) -> None:
        """Measure."""
        read = self._probe.read(dt_s)
        self._raw_bar = read * BAR_PER_MMHG

    def channel(self, number: int) -> float:
        """One channel in bar or °C: NaN for an inactive or failed one, infinite out of range."""
        if number not in self.settings.channels:
            return math.nan
        if number in TEMPERATURES:
            return self.settings.housing_c
        if self._raw_bar in (OPEN, SHORT):
            return math.nan
        low, high = self.settings.range_bar
        if not low <= self._raw_bar <= high:
            return math.copysign(math.inf, self._raw_bar)
        return self._raw_bar - self.zero_bar

    def stat(self) -> int:
        """STAT: bit n set means that channel n failed."""
        failed = (n for n in self.settings.channels if not math.isfinite(self.channel(n)))
        return sum(1 << number for number in failed)

    def set_zero(self, shown_bar: float) -> None:
        """Make P1 read `shown_bar` now."""
        if math.isfinite(self._raw_bar):
            self.zero_bar = self._raw_bar - shown_bar
