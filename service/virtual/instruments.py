"""The virtual room's instruments: frames from the plant, orders to it, and faults on both.

No bytes and no lines: an instrument gives one frame per second, quantised to its resolution, and
answers an order at once. What the drivers would make of a fault is made here directly.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.core.effects import Effect
from service.core.events import Frame, LinkChanged, Outcome
from service.core.model import Channel, DriveStatus, Instant, LinkState, Phase, Reading, Room
from service.virtual.drives import DRIVE_OF, Answer, Drive, ordered
from service.virtual.faults import OFFSETS, ROOM_FAULTS, Fault
from service.virtual.readings import Look, Trouble, reading, shown, silent_half
from service.virtual.room import ML_PER_REV, RESOLUTION, SOURCES
from simulator.plant import AnyPlant

LOST_AFTER_S = 2.0
"""A silent instrument's link is lost after this: the drivers' deadline with one repetition."""

DRIVEN = frozenset({"pump", "heater"})
KEYPAD = {"pump_stop": "pump", "heater_stop": "heater"}


@dataclass(slots=True, kw_only=True)
class Cable:
    """The link to one instrument: since when it has been silent, and what it delays."""

    silent_since_s: float | None = None
    lost: bool = False
    late: deque[tuple[tuple[Reading, ...], DriveStatus | None]] = field(default_factory=deque)

    def copy(self) -> "Cable":
        """One with frames of its own under way."""
        since, late = self.silent_since_s, deque(self.late)
        return Cable(silent_since_s=since, lost=self.lost, late=late)


class Instruments:
    """All instruments of one virtual room. Cheap to `copy`."""

    def __init__(self, room: Room, seed: int) -> None:
        """Everything connected and off; `seed` decides what garbage is read."""
        self._seed = seed
        self._channels: dict[str, tuple[Channel, ...]] = {
            device.name: tuple(c for c in room.channels if c.device == device.name)
            for device in room.devices
        }
        self._cables = {name: Cable() for name in self._channels}
        self._before: dict[str, float] = {}
        self.values: dict[str, float] = {}
        self.pump, self.heater = Drive(name="pump"), Drive(name="heater")
        self.troubles: list[Trouble] = []
        self._waiting: list[tuple[Fault, float | None]] = []

    def copy(self) -> "Instruments":
        """The same instruments, to go another way from here."""
        twin = object.__new__(Instruments)
        twin._seed, twin._channels = self._seed, self._channels
        twin._cables = {name: cable.copy() for name, cable in self._cables.items()}
        twin._before, twin.values = self._before, self.values
        twin.pump, twin.heater = self.pump.copy(), self.heater.copy()
        twin.troubles = [trouble.copy() for trouble in self.troubles]
        twin._waiting = list(self._waiting)
        return twin

    def inject(self, fault: Fault) -> None:
        """Let this fault come at its time (at once when that is past)."""
        self._waiting.append((fault, fault.at_s if fault.phase is None else None))

    def entered(self, phase: Phase, now_s: float) -> None:
        """A phase has begun: faults that count from it get their time."""
        self._waiting = [
            (fault, now_s + fault.at_s if at_s is None and fault.phase is phase else at_s)
            for fault, at_s in self._waiting
        ]

    def order(self, effect: Effect, now: Instant, now_s: float) -> list[Outcome]:
        """Carry out what the core orders; the outcomes known at once."""
        order = ordered(effect)
        if order is None:
            return []
        drive = self.pump if DRIVE_OF[type(order)] == "pump" else self.heater
        answers = drive.take(order, self._of(drive.name), now_s)
        return [_outcome(answer, now) for answer in answers]

    def begin(self, plant: AnyPlant, now: Instant, now_s: float) -> list[Outcome]:
        """Start and end faults, then pass on to the plant what pump and heater do."""
        troubled = bool(self._waiting or self.troubles)
        if troubled:
            self._come_and_go(now_s)
        answers = self.pump.pass_time(self._of("pump"), now_s)
        answers += self.heater.pass_time(self._of("heater"), now_s)
        pump, heater = self.pump.runs_at, self.heater.runs_at
        plant.pump_ml_min = 0.0 if pump is None else pump + self._off_by("pump")
        plant.heater_on = heater is not None
        if heater is not None:
            plant.bath_set_c = heater + self._off_by("heater")
        if troubled:
            self._break(plant)
        return [_outcome(answer, now) for answer in answers]

    def frames(self, plant: AnyPlant, now: Instant, now_s: float) -> Iterator[Frame | LinkChanged]:
        """What every instrument reports of this second; also a link that is lost or back."""
        self._before, self.values = self.values, self._truth(plant)
        for device, own in self._channels.items():
            if self.troubles or self._cables[device].lost:
                yield from self._troubled(device, own, now, now_s)
                continue
            values = self.values
            readings = tuple([reading(channel, values[channel.id]) for channel in own])
            yield Frame(at=now, device=device, readings=readings, status=self._status(device))

    def _truth(self, plant: AnyPlant) -> dict[str, float]:
        """What faultless channels show; pump and heater know only what they were set to."""
        values = {}
        for own in self._channels.values():
            for channel in own:
                value = SOURCES[channel.id](plant)
                values[channel.id] = round(value, RESOLUTION[channel.unit])
        set_ml_min = self.pump.runs_at or 0.0
        values["pump_flow"], values["pump_speed"] = set_ml_min, round(set_ml_min / ML_PER_REV, 1)
        if self.troubles:
            values["bath"] = round(values["bath"] - self._off_by("heater"), 2)
        return values

    def _troubled(
        self, device: str, own: tuple[Channel, ...], now: Instant, now_s: float
    ) -> Iterator[Frame | LinkChanged]:
        cable = self._cables[device]
        troubles = self._of(device)
        if why := _silent(troubles, now_s):
            since = cable.silent_since_s = (
                now_s if cable.silent_since_s is None else (cable.silent_since_s)
            )
            if not cable.lost and now_s - since >= LOST_AFTER_S:
                cable.lost = True
                yield LinkChanged(at=now, device=device, state=LinkState.LOST, reason=why)
            return
        cable.silent_since_s = None
        if cable.lost:
            cable.lost = False
            yield LinkChanged(at=now, device=device, state=LinkState.LIVE)
        readings = tuple([self._read(channel, device, now_s) for channel in own])
        found = self._delayed(cable, troubles, readings, self._status(device))
        slow = [t for t in troubles if t.fault.kind == "slow"]
        if found and all((now_s - t.from_s) % t.fault.figure < 1.0 for t in slow):
            yield Frame(at=now, device=device, readings=found[0], status=found[1])

    def _read(self, channel: Channel, device: str, now_s: float) -> Reading:
        value: float | None = self.values[channel.id]
        for trouble in self.troubles:
            own = trouble.fault.target == channel.id
            if value is None or not (own or _spoils_all(trouble, device)):
                continue
            look = Look(
                channel=channel,
                value=value,
                values=self.values,
                before=self._before,
                now_s=now_s,
                seed=self._seed,
            )
            value = shown(trouble, look)
        return reading(channel, value)

    @staticmethod
    def _delayed(
        cable: Cable,
        troubles: list[Trouble],
        readings: tuple[Reading, ...],
        status: DriveStatus | None,
    ) -> tuple[tuple[Reading, ...], DriveStatus | None] | None:
        """The frame that comes out of the cable now, None while the first is still under way."""
        late_s = sum(t.fault.figure for t in troubles if t.fault.kind == "delayed")
        if not late_s:
            cable.late.clear()
            return readings, status
        cable.late.append((readings, status))
        return cable.late.popleft() if len(cable.late) > late_s else None

    def _status(self, device: str) -> DriveStatus | None:
        if device == "pump":
            return self.pump.status
        return self.heater.status if device == "heater" else None

    def _of(self, device: str) -> list[Trouble]:
        return [trouble for trouble in self.troubles if trouble.fault.target == device]

    def _off_by(self, drive: str) -> float:
        """How far a drive misses its set-point."""
        off = 0.0
        for trouble in self._of(drive):
            if trouble.fault.kind == "offset":
                unit = self._channels[drive][0].unit
                value = trouble.fault.value
                off += OFFSETS[unit] if value is None else value
        return off

    def _come_and_go(self, now_s: float) -> None:
        self.troubles = [t for t in self.troubles if now_s < t.until_s]
        due = [fault for fault, at_s in self._waiting if at_s is not None and at_s <= now_s]
        self._waiting = [each for each in self._waiting if each[1] is None or each[1] > now_s]
        for fault in due:
            self.troubles.append(Trouble(fault=fault, from_s=now_s, until_s=now_s + fault.for_s))
            if fault.kind in KEYPAD:
                (self.pump if KEYPAD[fault.kind] == "pump" else self.heater).runs_at = None

    def _break(self, plant: AnyPlant) -> None:
        """What a fault of the room does to the plant for as long as it lasts."""
        active = {t.fault.kind: t.fault for t in self.troubles if t.fault.kind in ROOM_FAULTS}
        plant.inflow_clamped = "inflow_kink" in active
        plant.outflow_blocked = "outflow_block" in active
        plant.leak_ml_min = active["leak"].figure if "leak" in active else 0.0
        if "pump_stall" in active:
            plant.pump_ml_min = 0.0
        if "heater_dead" in active:
            plant.heater_on = False
        if "heater_runaway" in active:
            plant.heater_on, plant.bath_set_c = True, active["heater_runaway"].figure


def _spoils_all(trouble: Trouble, device: str) -> bool:
    """Whether a fault of an instrument is one of all its readings."""
    kind = trouble.fault.kind
    spoils = kind == "stuck" or (kind == "offset" and device not in DRIVEN)
    return spoils and trouble.fault.target == device


def _silent(troubles: list[Trouble], now_s: float) -> str:
    """Why an instrument gives no frame now ("" when it does)."""
    for trouble in troubles:
        match trouble.fault.kind:
            case "off":
                return "no answer"
            case "garbage":
                return "rubbish instead of an answer"
            case "intermittent" if silent_half(trouble, now_s):
                return "no answer"
    return ""


def _outcome(answer: Answer, now: Instant) -> Outcome:
    return Outcome(
        at=now,
        drive=answer.drive,
        order=answer.order,
        state=answer.state,
        value=answer.value,
        reason=answer.reason,
    )
