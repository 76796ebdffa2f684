"""The rest of the patient: core and periphery, metabolism, losses and active cooling."""

from simulator.plant.heat import exchanged_j, lost_j
from simulator.plant.parameters import Parameters


class Patient:
    """Two bodies of tissue, `core_c` and `periphery_c` (°C)."""

    def __init__(self, parameters: Parameters) -> None:
        """Start at `core_start_c` and `periphery_start_c`."""
        self._p = parameters
        self.core_c = parameters.core_start_c
        self.periphery_c = parameters.periphery_start_c

    @property
    def stored_j(self) -> float:
        """Heat above 0 °C (J)."""
        return self._p.core_j_k * self.core_c + self._p.periphery_j_k * self.periphery_c

    def advance(self, dt_s: float, net_j: float) -> float:
        """Add `net_j` (J) to the core, spread and lose heat; the heat lost to the room (J)."""
        self.core_c, self.periphery_c, room_j = spread(
            self._p, self.core_c, self.periphery_c, net_j, dt_s
        )
        return room_j


def spread(
    p: Parameters, core_c: float, periphery_c: float, net_j: float, dt_s: float
) -> tuple[float, float, float]:
    """Core and periphery (°C) after the core was given `net_j`, and the heat lost to the room."""
    core_c += net_j / p.core_j_k
    skin_w_k = p.core_periphery_w_k * (1.0 + p.dilation_per_k * max(0.0, core_c - 37.0))
    spread_j = exchanged_j(core_c, p.core_j_k, periphery_c, p.periphery_j_k, skin_w_k, dt_s)
    core_j = lost_j(core_c, p.core_j_k, p.room_c, p.core_loss_w_k, dt_s)
    skin_j = lost_j(periphery_c, p.periphery_j_k, p.room_c, p.periphery_loss_w_k, dt_s)
    core_c -= (spread_j + core_j) / p.core_j_k
    periphery_c += (spread_j - skin_j) / p.periphery_j_k
    return core_c, periphery_c, core_j + skin_j
