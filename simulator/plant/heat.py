"""Heat that moves between two bodies, and a well-mixed volume of perfusate."""

# Saline and dialysate, 4.15 MJ/m3/K: a flow of 1 L/min carries 70 W/K.
PERFUSATE_J_ML_K = 4.15


def exchanged_j(
    from_c: float, from_j_k: float, to_c: float, to_j_k: float, w_k: float, dt_s: float
) -> float:
    """Heat (J) passed on in `dt_s` through `w_k`; never more than makes both equally warm.

    Both bodies must be given the same figure, one as loss and one as gain: that keeps energy
    exactly, and the bound keeps any step stable. A body without capacity exchanges nothing.
    """
    if from_j_k <= 0.0 or to_j_k <= 0.0:
        return 0.0
    pair_j_k = from_j_k * to_j_k / (from_j_k + to_j_k)
    through_j_k = w_k * dt_s
    return (from_c - to_c) * pair_j_k * through_j_k / (pair_j_k + through_j_k)


def lost_j(from_c: float, from_j_k: float, room_c: float, w_k: float, dt_s: float) -> float:
    """Heat (J) given to a room of unchanging temperature in `dt_s`; stable for any step."""
    if from_j_k <= 0.0:
        return 0.0
    through_j_k = w_k * dt_s
    return (from_c - room_c) * from_j_k * through_j_k / (from_j_k + through_j_k)


def mixed_c(own_ml: float, own_c: float, added_ml: float, added_c: float) -> float:
    """The temperature (°C) of a volume after another one was mixed into it."""
    total_ml = own_ml + added_ml
    return own_c + (added_c - own_c) * added_ml / total_ml if total_ml > 0.0 else own_c


class MixedFluid:
    """A well-mixed volume: `volume_ml` (never negative) at `temperature_c`."""

    __slots__ = ("temperature_c", "volume_ml")

    def __init__(self, volume_ml: float, temperature_c: float) -> None:
        """Start with this volume (mL) and temperature (°C)."""
        self.volume_ml = volume_ml
        self.temperature_c = temperature_c

    def add(self, volume_ml: float, temperature_c: float) -> None:
        """Mix in a volume (mL) at its temperature (°C)."""
        self.temperature_c = mixed_c(self.volume_ml, self.temperature_c, volume_ml, temperature_c)
        self.volume_ml += volume_ml

    def take(self, wanted_ml: float) -> float:
        """Remove up to `wanted_ml`; the volume removed (mL), at `temperature_c`."""
        taken_ml = min(wanted_ml, self.volume_ml)
        self.volume_ml -= taken_ml
        return taken_ml

    def warm(self, heat_j: float) -> None:
        """Add heat (J; negative cools); nothing happens to an empty volume."""
        if self.volume_ml > 0.0:
            self.temperature_c += heat_j / (self.volume_ml * PERFUSATE_J_ML_K)

    @property
    def capacity_j_k(self) -> float:
        """Heat capacity (J/K)."""
        return self.volume_ml * PERFUSATE_J_ML_K

    @property
    def stored_j(self) -> float:
        """Heat above 0 °C (J)."""
        return self.capacity_j_k * self.temperature_c
