"""The circuit outside the patient: heating circulator, heat exchanger, tubes."""

from collections import deque
from math import exp

from simulator.plant.heat import PERFUSATE_J_ML_K, MixedFluid, exchanged_j, lost_j, mixed_c
from simulator.plant.parameters import Parameters


class Circulator:
    """A heated bath with limited power and its own PI regulator; it cannot cool."""

    def __init__(self, parameters: Parameters) -> None:
        """Start switched off, at `bath_start_c`."""
        self._p = parameters
        self.bath = MixedFluid(parameters.bath_ml, parameters.bath_start_c)
        self.power_w = 0.0
        self._integral_w = 0.0

    def advance(self, dt_s: float, on: bool, set_c: float) -> float:
        """Regulate the bath towards `set_c` while on; the heat added (J)."""
        if not on:
            self.power_w = self._integral_w = 0.0
            return 0.0
        self.power_w, self._integral_w = regulated_w(
            self._p, set_c - self.bath.temperature_c, self._integral_w, dt_s
        )
        heat_j = self.power_w * dt_s
        self.bath.warm(heat_j)
        return heat_j


def regulated_w(
    p: Parameters, error_k: float, integral_w: float, dt_s: float
) -> tuple[float, float]:
    """The circulator's power and its integral (W) at this distance from its set-point."""
    wanted_w = p.heater_gain_w_k * error_k + integral_w
    power_w = min(max(wanted_w, 0.0), p.heater_max_w)
    # Anti-windup: the integral rests while the power is at the limit it pushes against.
    if wanted_w == power_w or (error_k > 0.0) != (wanted_w > 0.0):
        integral_w += p.heater_gain_w_k * error_k * dt_s / p.heater_reset_s
    return power_w, integral_w


class Exchanger:
    """Perfusate on one side, bath fluid in the shell on the other.

    The shell is one body at the mean of its inlet and outlet. Flowing perfusate is warmed with
    the effectiveness 1 - exp(-UA / flow capacity); standing perfusate soaks towards the shell.
    """

    def __init__(self, parameters: Parameters) -> None:
        """Start filled and as warm as the reservoir."""
        self._p = parameters
        self.content = MixedFluid(parameters.exchanger_ml, parameters.reservoir_start_c)
        self.shell_c = parameters.reservoir_start_c

    @property
    def stored_j(self) -> float:
        """Heat above 0 °C of content and shell (J)."""
        return self.content.stored_j + self._p.exchanger_shell_j_k * self.shell_c

    def pass_through(self, volume_ml: float, entering_c: float, dt_s: float) -> float:
        """Push this volume through in `dt_s`; the temperature of what leaves (°C)."""
        content = self.content
        self.shell_c, content.temperature_c = passed_through(
            self._p, self.shell_c, content.temperature_c, volume_ml, entering_c, dt_s
        )
        return content.temperature_c

    def advance(self, dt_s: float, bath: MixedFluid, circulating: bool) -> float:
        """Exchange heat with bath and standing content; the heat lost to the room (J)."""
        content = self.content
        self.shell_c, content.temperature_c, bath_j, room_j = soaked(
            self._p, self.shell_c, content.temperature_c, bath.temperature_c, circulating, dt_s
        )
        bath.warm(-bath_j)
        return room_j


def passed_through(
    p: Parameters,
    shell_c: float,
    content_c: float,
    volume_ml: float,
    entering_c: float,
    dt_s: float,
) -> tuple[float, float]:
    """Shell and content of the exchanger (°C) after this volume was pushed through in `dt_s`."""
    if volume_ml <= 0.0:
        return shell_c, content_c
    through_j_k = volume_ml * PERFUSATE_J_ML_K
    effectiveness = 1.0 - exp(-p.exchanger_w_k * dt_s / through_j_k)
    heat_j = effectiveness * through_j_k * (shell_c - entering_c)
    shell_c -= heat_j / p.exchanger_shell_j_k
    return shell_c, mixed_c(p.exchanger_ml, content_c, volume_ml, entering_c + heat_j / through_j_k)


def soaked(
    p: Parameters, shell_c: float, content_c: float, bath_c: float, circulating: bool, dt_s: float
) -> tuple[float, float, float, float]:
    """Shell and content of the exchanger (°C) after `dt_s`; heat taken from bath and lost (J)."""
    shell_j_k, content_j_k = p.exchanger_shell_j_k, p.exchanger_ml * PERFUSATE_J_ML_K
    bath_j = 0.0
    if circulating:
        # Twice the flow's capacity, because the shell stands for the mean of in and out.
        w_k = 2.0 * p.bath_circulation_ml_min / 60.0 * PERFUSATE_J_ML_K
        bath_j = exchanged_j(bath_c, p.bath_ml * PERFUSATE_J_ML_K, shell_c, shell_j_k, w_k, dt_s)
        shell_c += bath_j / shell_j_k
    soak_j = exchanged_j(shell_c, shell_j_k, content_c, content_j_k, p.exchanger_soak_w_k, dt_s)
    content_c += soak_j / content_j_k
    room_j = lost_j(shell_c, shell_j_k, p.room_c, p.exchanger_loss_w_k, dt_s)
    shell_c -= (soak_j + room_j) / shell_j_k
    return shell_c, content_c, bath_j, room_j


class Line:
    """A full tube in which parcels of fluid travel one after the other (plug flow).

    A parcel cools towards the room with the time it has spent inside, so that standing
    fluid cools too; `lost_j` is the heat given to the room so far.
    """

    def __init__(self, parameters: Parameters, volume_ml: float) -> None:
        """Start full of fluid as warm as the reservoir."""
        self._room_c = parameters.room_c
        self._cooling_per_s = parameters.line_loss_w_k / (volume_ml * PERFUSATE_J_ML_K)
        # Parcels below this merge with the next, which bounds their number at short steps.
        self._least_ml = volume_ml / 50.0
        self._parcels = deque([(volume_ml, parameters.reservoir_start_c, 0.0)])
        self._passed_j = 0.0  # entered minus left, from full at the start
        self._started_j = self.stored_j(0.0)

    def push(self, volume_ml: float, entering_c: float, now_s: float) -> float:
        """Move the content on by this volume; the temperature of what leaves (°C)."""
        if volume_ml <= 0.0:
            return self.end_c(now_s)
        self._enter(volume_ml, entering_c, now_s)
        leaving_j = 0.0
        remaining_ml = volume_ml
        while remaining_ml > 0.0:
            parcel_ml, parcel_c, since_s = self._parcels[0]
            part_ml = min(parcel_ml, remaining_ml)
            leaving_j += part_ml * self._cooled_c(parcel_c, now_s - since_s)
            remaining_ml -= part_ml
            if part_ml < parcel_ml:
                self._parcels[0] = (parcel_ml - part_ml, parcel_c, since_s)
            else:
                self._parcels.popleft()
        leaving_c = leaving_j / volume_ml
        self._passed_j += volume_ml * PERFUSATE_J_ML_K * (entering_c - leaving_c)
        return leaving_c

    def end_c(self, now_s: float) -> float:
        """Temperature at the far end (°C), where the next parcel would leave."""
        _, parcel_c, since_s = self._parcels[0]
        return self._cooled_c(parcel_c, now_s - since_s)

    def stored_j(self, now_s: float) -> float:
        """Heat above 0 °C (J)."""
        return PERFUSATE_J_ML_K * sum(
            ml * self._cooled_c(parcel_c, now_s - since_s)
            for ml, parcel_c, since_s in self._parcels
        )

    def lost_j(self, now_s: float) -> float:
        """Heat given to the room since the start (J)."""
        return self._started_j + self._passed_j - self.stored_j(now_s)

    @property
    def volume_ml(self) -> float:
        """What the tube holds (mL)."""
        return sum(ml for ml, _, _ in self._parcels)

    def _enter(self, volume_ml: float, entering_c: float, now_s: float) -> None:
        last_ml, last_c, since_s = self._parcels[-1]
        if last_ml >= self._least_ml:
            self._parcels.append((volume_ml, entering_c, now_s))
            return
        total_ml = last_ml + volume_ml
        last_c = self._cooled_c(last_c, now_s - since_s)
        mixed_c = last_c + (entering_c - last_c) * volume_ml / total_ml
        self._parcels[-1] = (total_ml, mixed_c, now_s)

    def _cooled_c(self, start_c: float, inside_s: float) -> float:
        return cooled_c(self._room_c, start_c, self._cooling_per_s * inside_s)


def cooled_c(room_c: float, start_c: float, times: float) -> float:
    """What is left of a temperature above the room's after so many times of its decay (°C)."""
    return room_c + (start_c - room_c) * exp(-times)
