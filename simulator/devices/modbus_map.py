"""Any Modbus RTU slave that shows measurements in registers (application protocol V1.1b3)."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.devices.modbus import Code, ModbusError
from simulator.devices.probe import OPEN, PROBE_FAULTS, SHORT, Probe, Source
from simulator.devices.rtu_unit import RtuUnit

CODES = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
LIMITS = {
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One measurement: where it stands (`first` counts from 0, as on the wire), how it is written.

    One digit is worth `per_digit` of the source's unit, counted from `zero`. `swapped` puts the
    low word of 32 bits first. `over` and `under` stand for a lead that is open or shorted.
    """

    source: Source | None
    first: int
    table: Literal["holding", "input"] = "holding"
    format: str = "int16"
    per_digit: float = 1.0
    zero: float = 0.0
    swapped: bool = False
    over: float = 32767
    under: float = -32768


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSlaveSettings:
    """The slave's address, and how often it measures (s of plant time)."""

    address: int = 1
    scan_s: float = 0.5


class RegisterSlave(RtuUnit):
    """Measures all its registers once per scan and shows them until the next."""

    fault_names = PROBE_FAULTS | {"refuses"}

    def __init__(
        self,
        registers: Sequence[Register],
        settings: RegisterSlaveSettings | None = None,
        *,
        title: str = "Modbus RTU slave",
    ) -> None:
        self.settings = settings or RegisterSlaveSettings()
        super().__init__(self.settings.address)
        self.title = title
        self.inputs = tuple(range(1, len(registers) + 1))
        self._registers = [
            (each, Probe(each.source, faults=self.faults, number=number))
            for number, each in enumerate(registers, start=1)
        ]
        self._since_scan_s = 0.0
        self._scan(0.0)

    def sample(self, dt_s: float) -> None:
        """Measure once the scan period has passed."""
        self._since_scan_s += dt_s
        if self._since_scan_s >= self.settings.scan_s - 1e-9:
            self._scan(self._since_scan_s)
            self._since_scan_s = 0.0

    def holding(self, number: int) -> int:
        """A word of a measurement in the holding table."""
        return self._word("holding", number)

    def input_register(self, number: int) -> int:
        """A word of a measurement in the input table."""
        return self._word("input", number)

    def describe(self) -> Mapping[str, object]:
        """What was measured last, None for a broken lead."""
        return {"inputs": [round(v, 3) if math.isfinite(v) else None for v in self._values]}

    def _scan(self, dt_s: float) -> None:
        self._values = [probe.read(dt_s) for _, probe in self._registers]
        self._words: dict[tuple[str, int], int] = {}
        for (register, _), value in zip(self._registers, self._values, strict=True):
            for place, word in enumerate(words(register, value)):
                self._words[register.table, register.first + place] = word

    def _word(self, table: str, number: int) -> int:
        if (table, number - 1) not in self._words:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._words[table, number - 1]


def words(register: Register, value: float) -> list[int]:
    """A measurement as the words that the register shows."""
    shown = (value - register.zero) / register.per_digit
    if value in (OPEN, SHORT):
        shown = register.over if value == OPEN else register.under
    elif register.format in LIMITS:
        low, high = LIMITS[register.format]
        shown = max(low, min(high, round(shown)))
    packed = struct.pack(CODES[register.format], shown)
    made = [int.from_bytes(packed[at : at + 2], "big") for at in range(0, len(packed), 2)]
    return made[::-1] if register.swapped else made
