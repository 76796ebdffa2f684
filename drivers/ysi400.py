"""YSI-400 thermistors, as in most body temperature catheters: 2252 Ω at 25 °C, falling when warm.

Steinhart-Hart, 1/T = A + B ln R + C (ln R)³ in kelvin and ohm, with the coefficients in common use
for the 2252 Ω mix B curve. They agree with the sixth-order curve "YSI B 2252" within 0.03 °C from
35 to 45 °C; a catheter itself is interchangeable to 0.1 °C.

An open lead is a very high resistance and reads cold, a short is none and reads hot.
"""

import math

A, B, C = 1.4733e-3, 2.372e-4, 1.074e-7
FREEZING_K = 273.15
OPEN_ABOVE_OHM, SHORT_BELOW_OHM = 7500.0, 150.0
"""About -0.4 °C and 100.6 °C: what lies beyond is a broken lead, not water or a body."""


def temperature_c(ohm: float) -> float:
    """The temperature in °C of a YSI-400 thermistor of `ohm` > 0; raises ValueError for others."""
    if not (math.isfinite(ohm) and ohm > 0):
        raise ValueError(f"{ohm} Ω is no resistance of a thermistor")
    log_ohm = math.log(ohm)
    return 1 / (A + B * log_ohm + C * log_ohm**3) - FREEZING_K
