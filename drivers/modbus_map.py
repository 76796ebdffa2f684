"""Any Modbus RTU instrument that only measures: its register map is configuration, not code.

For thermistor and RTD modules, pressure transmitters and the like; one `[[device.input]]` each:

    [[device]]
    name = "rtd"
    driver = "modbus_map"
    port = "/dev/serial/by-id/..."
    address = 1
    model = "ProMux PM6RTD"          # what the site calls it: the map cannot ask who answers
    device_class = "temperature"
    [[device.input]]
    number = 1
    unit = "degC"
    table = "input"                  # or "holding"
    register = 0                     # as on the wire; a manual's 30001 and 40001 are 0
    format = "int16"
    scale = 0.1                      # value = number in the register times scale plus offset
    overflow = [-32768]              # numbers that mean no value

Modbus application protocol V1.1b3; the meaning of registers is in each maker's manual.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers import modbus
from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Dialogue, Refused
from drivers.register_map import Mapped, read_inputs, text_setting
from drivers.settings import Settings
from service.core.model import DeviceClass, Instant

MOST_WORDS = 125
MEASURING = tuple(
    one
    for one in DeviceClass
    if one not in (DeviceClass.PUMP, DeviceClass.HEATER, DeviceClass.SWITCHES)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Registers that follow each other and are read by one request, and the inputs in them."""

    function: int
    first: int
    count: int
    inputs: tuple[Mapped, ...]


class ModbusMap:
    """Driver of one instrument with a register map.

    Settings: `address` 1-247, `model`, `device_class`, `answer_s` (0.05-2.0, the device's time to
    answer) and `input`, a list of tables: `number`, `name`, `unit`, `table`, `register`, `format`,
    `order` of bytes, `scale`, `offset`, `resolution` (in the unit), `gives` ("ohm" where the number
    is a YSI-400 probe's resistance), `invalid`, `overflow`, `underflow` (lists of numbers in the
    register that mean no value), `lowest` and `highest` (in the unit; what lies outside is no
    value). Without inputs the device cannot be identified.
    """

    name = "modbus_map"
    manual = "Modbus application protocol; the register map stands in the site file"
    revision = "V1.1b3"
    stop_bound_s = 0.0
    pushes = False

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        address = settings.whole("address", 1, 1, 247)
        self.addresses = (address,)
        self.device_class: DeviceClass = settings.choice(
            "device_class", DeviceClass.TEMPERATURE, MEASURING
        )
        answer_s = settings.number("answer_s", None, 0.05, 2.0) or 0.3
        self._model = text_setting(settings, "model", "Modbus register map")
        self._map = read_inputs(settings)
        settings.finish()
        self.inputs: tuple[Input, ...] = tuple(one.shown for one in self._map)
        self._blocks = tuple(_blocks(self._map))
        self._unit = modbus.Unit(address, self.serial, answer_s)

    def identify(self) -> Dialogue[Identity]:
        """Read the whole map once; that it can be read is all that is known of who answers."""
        yield from self.poll()
        return Identity(model=self._model)

    def poll(self) -> Dialogue[Polled]:
        """Read every input, with as few requests as the map allows."""
        measured: list[Measured] = []
        last: Instant | None = None
        for block in self._blocks:
            data, last = yield from self._unit.read(block.function, block.first, block.count)
            for one in block.inputs:
                at = 2 * (one.register - block.first)
                measured.append(one.measured(data[at : at + 2 * one.words]))
        if last is None:
            raise Refused("the register map has no input; describe each in [[device.input]]")
        return Polled(at=last, measured=tuple(sorted(measured, key=lambda one: one.input)))


def _blocks(inputs: tuple[Mapped, ...]) -> Iterator[Block]:
    """Join what is adjacent; nothing in between is read, as a device may refuse that."""
    for function in sorted({one.function for one in inputs}):
        together: list[Mapped] = []
        for one in sorted(
            (one for one in inputs if one.function == function), key=lambda one: one.register
        ):
            if together and not _joins(together, one):
                yield _block(together)
                together = []
            together.append(one)
        yield _block(together)


def _joins(together: list[Mapped], one: Mapped) -> bool:
    room = one.register + one.words - together[0].register <= MOST_WORDS
    return room and one.register <= _end(together)


def _end(together: list[Mapped]) -> int:
    return max(each.register + each.words for each in together)


def _block(together: list[Mapped]) -> Block:
    first = together[0].register
    return Block(
        function=together[0].function,
        first=first,
        count=_end(together) - first,
        inputs=tuple(together),
    )
