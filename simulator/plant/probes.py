"""What the room's thermistors show: lag, a fixed small error each, and noise."""

from math import exp
from random import Random

from simulator.plant.abdomen import SITES
from simulator.plant.parameters import Parameters

CIRCUIT = ("inflow", "outflow", "reservoir", "exchanger", "bath")
CORE = ("nasopharynx", "bladder")
PLACES = (*SITES, *CIRCUIT, *CORE)

_INDEX = {place: index for index, place in enumerate(PLACES)}
_WORD = 0xFFFF
_LONG = 0xFFFFFFFFFFFFFFFF


def noise(seed: int, stream: int, at_s: float) -> float:
    """Noise with mean 0 and rms 1, within ±3.5, new each tenth of a second.

    It depends on its arguments alone (a SplitMix64 mix), not on who reads how often: the same
    seed gives the same readings however the room is polled.
    """
    mixed = (
        seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + int(at_s * 10.0 + 1e-6)
    ) & _LONG
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _LONG
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _LONG
    mixed ^= mixed >> 31
    return drawn_of(mixed)


def drawn_of(mixed: int) -> float:
    """The noise that a well mixed 64-bit number stands for."""
    words = (mixed & _WORD) + (mixed >> 16 & _WORD) + (mixed >> 32 & _WORD) + (mixed >> 48)
    return (words / _WORD - 2.0) * 3.0**0.5


def biases_c(parameters: Parameters, seed: int) -> list[float]:
    """The fixed error of each probe (°C), in the order of PLACES."""
    random = Random(seed)
    return [random.gauss(0.0, parameters.bias_c) for _ in PLACES]


def followed(p: Parameters, dt_s: float) -> list[float]:
    """The share of a change that each probe shows after `dt_s`, in the order of PLACES."""
    lags_s = (p.core_lag_s if place in CORE else p.catheter_lag_s for place in PLACES)
    return [1.0 - exp(-dt_s / lag_s) for lag_s in lags_s]


class Probes:
    """First-order probes at PLACES."""

    def __init__(self, parameters: Parameters, seed: int, start_c: list[float]) -> None:
        """Start settled at the temperatures of PLACES, in that order (°C)."""
        self._p = parameters
        self._seed = seed
        self._bias_c = biases_c(parameters, seed)
        self._settled_c = list(start_c)
        self._dt_s = 0.0
        self._follow: list[float] = []

    def advance(self, dt_s: float, truth_c: list[float]) -> None:
        """Let every probe follow the truth at its place."""
        if dt_s != self._dt_s:
            self._dt_s = dt_s
            self._follow = followed(self._p, dt_s)
        self._settled_c = [
            shown_c + follow * (true_c - shown_c)
            for shown_c, follow, true_c in zip(self._settled_c, self._follow, truth_c, strict=True)
        ]

    def read_c(self, place: str, now_s: float) -> float:
        """The reading at a place (°C); ValueError when there is no such place."""
        if place not in _INDEX:
            raise ValueError(f"no probe at {place!r}; probes are at {', '.join(PLACES)}")
        index = _INDEX[place]
        noise_c = self._p.noise_c * noise(self._seed, index, now_s)
        return self._settled_c[index] + self._bias_c[index] + noise_c
