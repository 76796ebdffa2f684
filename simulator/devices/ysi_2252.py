"""The curve of a YSI-400 probe (2252 ohm at 25 °C, mix B): sixth-order polynomial in ln(R/2252)."""

import math

NOMINAL_OHM = 2252.0
TERMS = (24.990713, -22.808501, 1.5334736, -0.10485403, 7.6653446e-3, -8.465644e-4, 6.1095571e-5)
COLDEST_OHM, HOTTEST_OHM = 75_000.0, 42.0


def celsius(ohm: float) -> float:
    """Temperature in °C of a probe of `ohm`, for -40 to 150 °C."""
    x = math.log(ohm / NOMINAL_OHM)
    return sum(term * x**power for power, term in enumerate(TERMS))


def ohm(value_c: float) -> float:
    """Resistance of a probe at `value_c` in °C, kept to the ends of the curve."""
    low, high = HOTTEST_OHM, COLDEST_OHM
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if celsius(middle) > value_c else (low, middle)
    return math.sqrt(low * high)
