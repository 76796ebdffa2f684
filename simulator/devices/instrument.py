"""What every simulated instrument is: bytes in, bytes out, a serial setting and its faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """How the instrument's port talks: baud, bits and parity ("N", "E" or "O")."""

    baud: int
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1

    @property
    def byte_s(self) -> float:
        """Time of one character on the wire in s: start, data, parity and stop bits."""
        return (1 + self.data_bits + (self.parity != "N") + self.stop_bits) / self.baud

    def __str__(self) -> str:
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes that the instrument sends, `delay_s` (real seconds) after what made it send them.

    On the wire they take `stretch` times as long as its baud rate says."""

    data: bytes
    delay_s: float = 0.0
    stretch: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault that is set. `input` is a probe input or a line address, `value` an offset, a
    drift per minute, an alarm code, seconds or a rate: `simulator.faults` says which."""

    name: str
    input: int | None = None
    value: float | None = None
    times: int | None = None


@dataclass(slots=True)
class FaultSet:
    """The faults that an instrument has now, at most one per name and input."""

    active: dict[tuple[str, int | None], Fault] = field(default_factory=dict)

    def set(self, fault: Fault) -> None:
        """Set a fault, in place of an earlier one of the same name and input."""
        self.active[fault.name, fault.input] = fault

    def clear(self, name: str | None = None, number: int | None = None) -> None:
        """Clear every fault, or those of one name, or that name on one input only."""
        self.active = {
            key: fault
            for key, fault in self.active.items()
            if (name is not None and key[0] != name) or (number is not None and key[1] != number)
        }

    def get(self, name: str, number: int | None = None) -> Fault | None:
        """The fault of this name on this input, or on the whole instrument; None without one."""
        return self.active.get((name, number)) or self.active.get((name, None))

    def has(self, name: str, number: int | None = None) -> bool:
        """True while this fault is set for this input or for the whole instrument."""
        return self.get(name, number) is not None


class Instrument:
    """One instrument on one line. Its answers use real seconds, its measurements plant seconds."""

    title = "instrument"
    serial = SerialLine(baud=9600)
    fault_names: frozenset[str] = frozenset()
    inputs: tuple[int, ...] = ()
    has_checksum = False
    has_address = False

    def __init__(self) -> None:
        self.faults = FaultSet()

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Take bytes whose last one arrived at `now_s` and give what is sent in answer.

        `sent_s` is when the host wrote them (default `now_s`), `byte_s` the time of a character.
        """
        raise NotImplementedError

    def tick(self, now_s: float) -> list[Send]:
        """What the instrument sends unasked at `now_s`."""
        return []

    def due_s(self) -> float | None:
        """When the instrument next wants a `tick`; None when it never speaks unasked."""
        return None

    def sample(self, dt_s: float) -> None:
        """Measure and move after `dt_s` more of plant time."""

    def power_up(self) -> None:
        """The state right after power returned: what was volatile is lost."""

    def on_fault(self, fault: Fault) -> None:
        """What happens once, at the moment a fault is set."""

    def on_clear(self, name: str | None) -> None:
        """What a person at the instrument does when a fault (None: all) is over."""

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The reply with a false checksum; unchanged where the protocol has none."""
        return reply

    def with_other_unit(self, reply: bytes) -> bytes:
        """The reply as another unit of the line would send it; unchanged without an address."""
        return reply

    def describe(self) -> Mapping[str, object]:
        """The instrument's true state, as JSON values."""
        return {}
