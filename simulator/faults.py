"""Faults at three levels, set while any program is connected: bytes, instrument and cable."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from simulator.devices.instrument import Fault, FaultSet, Instrument, Send
from simulator.framing import misread


class Level(Enum):
    """Where a fault sits."""

    BYTES = "bytes"
    DEVICE = "device"
    CABLE = "cable"


class FaultError(ValueError):
    """A fault that does not exist, does not fit this instrument, or lacks its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of fault: its level, what it does, and what its `value` means."""

    level: Level
    text: str
    value: str = ""
    default: float | None = None


def _bytes(text: str, value: str = "", default: float | None = None) -> Kind:
    return Kind(level=Level.BYTES, text=text, value=value, default=default)


def _cable(text: str, value: str = "", default: float | None = None) -> Kind:
    return Kind(level=Level.CABLE, text=text, value=value, default=default)


def _device(text: str, value: str = "", default: float | None = None) -> Kind:
    return Kind(level=Level.DEVICE, text=text, value=value, default=default)


FAULTS: Mapping[str, Kind] = {
    "silent": _bytes("no byte comes back, commands still act"),
    "deaf": _bytes("no byte goes in or comes back"),
    "garbage": _bytes("each reply is random bytes of its length"),
    "wrong_crc": _bytes("each reply has a false checksum"),
    "truncated": _bytes("each reply ends half way"),
    "spliced": _bytes("each reply goes over into the end of the one before it"),
    "late": _bytes("each reply comes late", "seconds", 2.0),
    "slow": _bytes("each reply takes long on the wire", "times its usual time", 3.0),
    "echo": _bytes("what the host sends comes back first"),
    "doubled": _bytes("each reply comes twice"),
    "wrong_unit": _bytes("each reply names another unit of the line"),
    "noise": _bytes("random bytes between replies", "bytes per second", 5.0),
    "baud": _bytes(
        "the host has another baud rate, both sides hear rubbish", "host's over instrument's", 2.0
    ),
    "power_cycle": _device("power lost and back", "seconds without power", 1.0),
    "refuses": _device("commands or questions are refused as this instrument does it"),
    "stuck": _device("values stand still, answers go on"),
    "open": _device("the lead of an input is open"),
    "short": _device("the lead of an input is shorted"),
    "offset": _device("an input reads too high", "offset in its unit"),
    "drift": _device("an input drifts", "its unit per minute of plant time"),
    "reset": _device("a transmitter restarts and must be initialised again"),
    "local_mode": _device("somebody took it out of remote control"),
    "keypad_stop": _device("somebody stopped it at its keypad"),
    "stall": _device("the rotor is jammed, the drive says it runs"),
    "alarm": _device("the instrument's own alarm", "its number, see the manual", 0.0),
    "coupling": _device("the clamp-on sensor has poor acoustic coupling"),
    "no_sensor": _device("the clamp-on sensor is unplugged"),
    "overflow": _device("flow above the meter's range"),
    "underflow": _device("flow below the meter's range"),
    "unplug": _cable("the cable is pulled; clear it to plug in again"),
    "replug": _cable("the cable is pulled and back as another port", "seconds without it", 0.5),
    "hang_up": _cable("the adapter hangs up once; its port is there again at once"),
    "half_open": _cable("the port stays open and carries nothing until it is opened anew"),
}
EVERY_INSTRUMENT = frozenset({"power_cycle"})
SPOILING = (
    *("silent", "late", "slow", "wrong_unit", "wrong_crc"),
    *("spliced", "garbage", "truncated", "doubled"),
)
PULLING = ("unplug", "replug", "hang_up")
MOMENTARY = frozenset({"power_cycle", "keypad_stop", "reset", "replug", "hang_up"})


class Line:
    """An instrument behind its cable: what goes in and comes out passes the faults that are set.

    `plugged` is False while the cable is out; `renamed` is True when it comes back as another port.
    `powered` is False while a contactor of the room keeps the mains from it.
    """

    def __init__(self, name: str, instrument: Instrument, *, seed: int = 1) -> None:
        self.name = name
        self.instrument = instrument
        self.plugged = True
        self.renamed = False
        self.powered = True
        self._plugged_at_s = float("inf")
        self._half_open = False
        self._last = b""
        self._faults = FaultSet()
        self._random = random.Random(f"{name} {seed}")
        self._off_until_s = float("-inf")
        self._ticked_s: float | None = None

    def fault(self, fault: Fault, now_s: float) -> None:
        """Set a fault from `now_s` on; raises FaultError and changes nothing if it cannot be."""
        self.check(fault)
        kind = FAULTS[fault.name]
        if fault.value is None:
            fault = replace(fault, value=kind.default)
        if kind.level is Level.CABLE:
            self._disturb_cable(fault, now_s)
        elif fault.name == "power_cycle":
            self.instrument.power_up()
            self._off_until_s = now_s + (fault.value or 0.0)
        elif kind.level is Level.DEVICE:
            if fault.name not in MOMENTARY:
                self.instrument.faults.set(fault)
            self.instrument.on_fault(fault)
        else:
            self._faults.set(fault)

    def supply(self, powered: bool) -> None:
        """Give the instrument its mains or take them away; what was volatile is lost."""
        if powered != self.powered:
            self.powered = powered
            self.instrument.power_up()

    def clear(self, name: str | None = None, number: int | None = None) -> None:
        """Clear all faults, those of one name, those of one input, or one name on one input."""
        self._faults.clear(name, number)
        self.instrument.faults.clear(name, number)
        if number is None:
            self.instrument.on_clear(name)
            self.plugged = self.plugged or name in (None, *PULLING)
            self._half_open = self._half_open and name not in (None, "half_open")

    def check(self, fault: Fault) -> None:
        """Raise FaultError for a fault that does not exist, does not fit, or lacks its value."""
        kind = FAULTS.get(fault.name)
        if kind is None:
            raise FaultError(f"no fault is called {fault.name!r}; there are {', '.join(FAULTS)}")
        known = self.instrument.fault_names | EVERY_INSTRUMENT
        if kind.level is Level.DEVICE and fault.name not in known:
            raise FaultError(
                f"{self.name} has no fault {fault.name!r}; its own are {', '.join(sorted(known))}"
            )
        if kind.value and kind.default is None and fault.value is None:
            raise FaultError(f"{fault.name} needs a value: {kind.value}")
        if fault.input is not None and fault.input not in self.instrument.inputs:
            inputs = ", ".join(map(str, self.instrument.inputs)) or "none"
            raise FaultError(f"{self.name} has no input {fault.input}; its inputs are {inputs}")
        if fault.name == "wrong_crc" and not self.instrument.has_checksum:
            raise FaultError(f"{self.name} sends no checksum; use garbage or truncated instead")
        if fault.name == "wrong_unit" and not self.instrument.has_address:
            raise FaultError(f"{self.name} names no unit in its replies; use garbage instead")

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """What comes back for bytes whose last one arrived at `now_s` (see `Instrument`)."""
        if self._is_dead(now_s) or self._half_open or self._faults.has("deaf"):
            return []
        baud = self._faults.get("baud")
        if baud:
            data = misread(data, self.instrument.serial, baud.value or 1.0)
        sends = self.instrument.receive(data, now_s, sent_s=sent_s, byte_s=byte_s)
        sends = [changed for send in sends if (changed := self._spoil(send))]
        return [Send(data), *sends] if self._faults.has("echo") else sends

    def tick(self, now_s: float) -> list[Send]:
        """What comes unasked at `now_s`, noise included."""
        passed_s = now_s - self._ticked_s if self._ticked_s is not None else 0.0
        self._ticked_s = now_s
        if now_s >= self._plugged_at_s:
            self.plugged, self._plugged_at_s = True, float("inf")
        if self._is_dead(now_s):
            return []
        sends = self.instrument.tick(now_s)
        sends = [changed for send in sends if (changed := self._spoil(send))]
        noise = self._faults.get("noise")
        if noise and self._random.random() < (noise.value or 0.0) * passed_s:
            sends.append(Send(self._random.randbytes(1)))
        return [] if self._half_open or self._faults.has("deaf") else sends

    def reopen(self) -> None:
        """The host has closed the port: opened anew, it carries bytes again."""
        self._half_open = False

    def due_s(self) -> float | None:
        """When the instrument next wants a tick of its own."""
        due_s = self.instrument.due_s()
        if due_s is None or not self.powered:
            return None
        return max(due_s, self._off_until_s)

    def describe(self) -> dict[str, object]:
        """The instrument's state, its cable and the names of the faults that are set."""
        active = [*self._faults.active.values(), *self.instrument.faults.active.values()]
        names = [each.name + (f" {each.input}" if each.input else "") for each in active]
        names += ["half_open"] if self._half_open else []
        return {
            "title": self.instrument.title,
            "plugged": self.plugged,
            "powered": self.powered,
            "faults": names if self.plugged else ["unplug", *names],
            **self.instrument.describe(),
        }

    def _disturb_cable(self, fault: Fault, now_s: float) -> None:
        if fault.name == "half_open":
            self._half_open = True
            return
        self.plugged, self.renamed = False, fault.name == "replug"
        self._plugged_at_s = now_s + (fault.value or 0.0)
        if fault.name == "unplug":
            self._plugged_at_s = float("inf")

    def _is_dead(self, now_s: float) -> bool:
        return not (self.plugged and self.powered) or now_s < self._off_until_s

    def _spoil(self, send: Send) -> Send | None:
        """One reply after the byte faults; None when nothing is left of it."""
        changed: Send | None = send
        for name in SPOILING:
            fault = self._take(name) if changed else None
            if changed and fault:
                changed = self._change(fault, changed)
        self._last = send.data
        baud = self._faults.get("baud")
        if changed and baud:
            rubbish = misread(changed.data, self.instrument.serial, 1.0 / (baud.value or 1.0))
            changed = replace(changed, data=rubbish)
        return changed

    def _change(self, fault: Fault, send: Send) -> Send | None:
        data, device = send.data, self.instrument
        match fault.name:
            case "late":
                return replace(send, delay_s=send.delay_s + (fault.value or 0.0))
            case "slow":
                return replace(send, stretch=send.stretch * (fault.value or 1.0))
            case "spliced":
                tail = self._last[len(self._last) // 2 :]
                return replace(send, data=data[: len(data) // 2] + tail)
            case "wrong_unit":
                return replace(send, data=device.with_other_unit(data))
            case "wrong_crc":
                return replace(send, data=device.with_wrong_checksum(data))
            case "garbage":
                return replace(send, data=self._random.randbytes(len(data)))
            case "truncated":
                return replace(send, data=data[: len(data) // 2])
            case "doubled":
                return replace(send, data=data * 2)
            case _:
                return None

    def _take(self, name: str) -> Fault | None:
        """The fault of this name if it is set; counts down one that is meant for a few replies."""
        fault = self._faults.get(name)
        if fault and fault.times is not None:
            self._faults.clear(name)
            if fault.times > 1:
                self._faults.set(replace(fault, times=fault.times - 1))
        return fault
