"""Pump and heater of the virtual room: orders with leases in, read-back outcomes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

from service.core.effects import Effect, HeaterOff, HeaterRun, PumpRun, PumpStop
from service.core.model import CommandState, DriveStatus
from service.virtual.readings import Trouble, silent_half

Order = HeaterOff | HeaterRun | PumpStop | PumpRun
DRIVE_OF: Mapping[type, str] = {
    HeaterOff: "heater",
    HeaterRun: "heater",
    PumpStop: "pump",
    PumpRun: "pump",
}
LEASE_OFF_ORDER = 0
"""The number of an off that nobody ordered: the lease of a run was over."""

UNHEARD = frozenset({"off", "stuck"})
"""Faults under which an order does nothing."""
UNREAD = {
    "off": "no answer",
    "intermittent": "no answer",
    "garbage": "rubbish instead of an answer",
    "stuck": "read back otherwise than ordered",
}
"""Faults under which an order's outcome is unknown, and what the drive says instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an order, as an `Outcome` tells it."""

    drive: str
    order: int
    state: CommandState
    value: float | None = None
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Drive:
    """One drive: at what it runs (°C or ml/min, None: off), until when it may, what comes late."""

    name: str
    runs_at: float | None = None
    order: int = -1
    leased_until_s: float = inf
    late: list[tuple[float, Order]] = field(default_factory=list)

    def copy(self) -> "Drive":
        """One with orders of its own under way."""
        return replace(self, late=list(self.late))

    @property
    def status(self) -> DriveStatus:
        """What the drive says of itself."""
        return DriveStatus(running=self.runs_at is not None, setpoint=self.runs_at, remote=True)

    def take(self, effect: Order, troubles: list[Trouble], now_s: float) -> list[Answer]:
        """Carry an order out, late, or not at all; a run given already is only renewed."""
        if isinstance(effect, HeaterRun | PumpRun) and effect.order == self.order:
            self.leased_until_s = now_s + effect.lease_s
            return []
        late_s = sum(t.fault.figure for t in troubles if t.fault.kind in ("slow", "delayed"))
        if late_s:
            self.late.append((now_s + late_s, effect))
            return []
        return self._carry_out(effect, troubles, now_s)

    def pass_time(self, troubles: list[Trouble], now_s: float) -> list[Answer]:
        """Carry out what is due by now; switch off by itself when the lease is over."""
        due = [effect for at_s, effect in self.late if at_s <= now_s]
        self.late = [entry for entry in self.late if entry[0] > now_s]
        answers = [a for effect in due for a in self._carry_out(effect, troubles, now_s)]
        heard = not any(_unheard(trouble, now_s) for trouble in troubles)
        if self.runs_at is not None and now_s > self.leased_until_s and heard:
            self.runs_at, self.leased_until_s = None, inf
            reason = "nobody renewed the order in time: switched off"
            answers.append(self._answer(LEASE_OFF_ORDER, CommandState.CONFIRMED, reason))
        return answers

    def _carry_out(self, effect: Order, troubles: list[Trouble], now_s: float) -> list[Answer]:
        self.order = effect.order
        if not any(_unheard(trouble, now_s) for trouble in troubles):
            self.runs_at = _wanted(effect)
            lease_s = getattr(effect, "lease_s", inf)
            self.leased_until_s = now_s + lease_s
        for trouble in troubles:
            if reason := UNREAD.get(trouble.fault.kind, ""):
                heard = trouble.fault.kind == "intermittent" and not silent_half(trouble, now_s)
                if not heard:
                    return [self._answer(effect.order, CommandState.UNKNOWN, reason)]
        return [self._answer(effect.order, CommandState.CONFIRMED)]

    def _answer(self, order: int, state: CommandState, reason: str = "") -> Answer:
        return Answer(drive=self.name, order=order, state=state, value=self.runs_at, reason=reason)


def ordered(effect: Effect) -> Order | None:
    """The effect as an order to a drive of the virtual room, None for any other."""
    return effect if isinstance(effect, HeaterOff | HeaterRun | PumpStop | PumpRun) else None


def _wanted(effect: Order) -> float | None:
    match effect:
        case HeaterRun(bath_c=bath_c):
            return bath_c
        case PumpRun(flow_ml_min=flow_ml_min):
            return flow_ml_min
    return None


def _unheard(trouble: Trouble, now_s: float) -> bool:
    if trouble.fault.kind == "intermittent":
        return silent_half(trouble, now_s)
    return trouble.fault.kind in UNHEARD
