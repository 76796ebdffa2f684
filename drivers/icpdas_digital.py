"""ICP DAS digital modules (tM, M-7000): contacts in, relays out, a host watchdog of their own.

Quick starts tM-R5 p. 10, tM-AD4P2C2 p. 10, tM-DA1P1R1 p. 14: Modbus RTU address map. Without
messages for its time-out the module switches its outputs to their safe values by itself and keeps
them there until the time-out status 00270 is cleared. What feeds it is not told for every module:
here any request to it does, unless `feed_message` says what else has to be sent. Where any request
does, polling does too: whoever polls and no longer orders `hold` has to order `drop`.

A contact that closes and opens again between two polls is not seen.
"""

from drivers import modbus
from drivers.classes import Done, Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Dialogue, Refused, Tell
from drivers.settings import Settings
from service.core.model import CommandState, DeviceClass, DriveStatus, Unit

MOST = 16
# Addresses on the wire: one less than in the manual.
OUTPUTS, SAFE, POWER_ON, CONTACTS = 0, 128, 160, 32
CLEARS_BY_OUTPUT, WATCHDOG_ON, INPUT_POLARITY, OUTPUT_POLARITY, TIMED_OUT = 259, 260, 264, 265, 269
IDENTITY, TIME_OUT = 480, 488
TENTHS_PER_S = 10
AFTER_DROP_S = 0.03
"""Time for the answer that `drop` does not wait for: 8 characters and the module's own delay."""
OPENED = "the contactors are open; drop them, then hold again to close them"
TRIPPED = (
    "the host watchdog of the module has opened the contactors, because nothing fed it for "
    "{:g} s; find out why, drop them, then hold again to close them"
)


class IcpDasDigital:
    """Driver of one module. All its outputs are contactors that are held and dropped together.

    Settings: `address` 1-247, `inputs` and `outputs` (how many of each are used), `inverted`
    (numbers of the inputs whose open contact is the 1, as of an emergency stop), `watchdog_s`
    0.5-25.5, `feed_message` (hexadecimal bytes to send with each `hold`, where requests do not
    feed the watchdog).
    """

    name = "icpdas_digital"
    device_class = DeviceClass.SWITCHES
    manual = "ICP DAS quick starts tM-R5 p. 10, tM-AD4P2C2 p. 10, tM-DA1P1R1 p. 14"
    revision = "none stated; copies seen: manualshive.com 3859088 (tM-R5)"
    stop_bound_s = 0.25
    pushes = False
    terminator = b""  # silence alone ends half a frame

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        address = settings.whole("address", 1, 1, 247)
        self.addresses = (address,)
        inputs = settings.whole("inputs", 4, 0, MOST)
        self.outputs = settings.whole("outputs", 2, 0, MOST)
        self._inverted = _inverted(settings, inputs)
        self._tenths = round(TENTHS_PER_S * (settings.number("watchdog_s", 2.0, 0.5, 25.5) or 0.0))
        self._feed = _feed_message(settings)
        settings.finish()
        self.watchdog_s = self._tenths / TENTHS_PER_S
        self.quiet_s = modbus.silence_s(self.serial)
        self.inputs: tuple[Input, ...] = tuple(
            Input(number=number, unit=Unit.ON_OFF, resolution=1.0, name=f"contact {number}")
            for number in range(1, inputs + 1)
        )
        self._unit = modbus.Unit(address, self.serial, answer_s=0.1)
        self._may_close = False

    def identify(self) -> Dialogue[Identity]:
        """Ask who answers, and set up the watchdog and what the outputs do without a host.

        Raises `Refused` where the module inverts contacts or outputs by itself, or does not keep
        what it is told. Opens and closes nothing.
        """
        yield from self._poll_inputs()
        yield from self._check_polarity()
        if self.outputs:
            yield from self._arm()
        told = yield from self._unit.told(modbus.HOLDING, IDENTITY, 4)
        if told is None:
            return Identity(model="ICP DAS digital module")
        return Identity(
            model=f"ICP DAS digital module (name registers {told[4:].hex()})",
            firmware=told[:4].hex(),
        )

    def poll(self) -> Dialogue[Polled]:
        """Read the contacts, and of the outputs whether they are on and why not."""
        polled = yield from self._poll_inputs()
        if not self.outputs:
            return polled
        tripped, closed = yield from self._state()
        if tripped:
            fault = TRIPPED.format(self.watchdog_s)
        else:
            fault = "only some of the contactors are closed" if _mixed(closed) else ""
        running = None if _mixed(closed) else closed[0]
        status = DriveStatus(running=running, setpoint=None, fault=fault)
        return Polled(at=polled.at, measured=polled.measured, status=status)

    def hold(self) -> Dialogue[Done]:
        """Keep the contactors closed; close open ones only as the first `hold` after a `drop`."""
        if not self.outputs:
            return _refused("this module has no outputs in use; correct its setting outputs")
        tripped, closed = yield from self._state()
        # Used up even if the rest is lost: a later hold must not close what opened meanwhile.
        may_close, self._may_close = self._may_close, False
        if tripped or not all(closed):
            if not may_close:
                return _refused(TRIPPED.format(self.watchdog_s) if tripped else OPENED)
            # Nothing closes without its watchdog, even after a restart of the module.
            yield from self._arm()
            if tripped:
                yield from self._unit.write_bits(TIMED_OUT, [True])
        yield from self._unit.write_bits(OUTPUTS, [True] * self.outputs)
        if self._feed:
            yield Tell(tx=self._feed, quiet_s=self.quiet_s)
        tripped, closed = yield from self._state()
        if tripped or not all(closed):
            return _refused("the contactors did not close; look at the module and drop them")
        return Done(state=CommandState.CONFIRMED)

    def drop(self) -> Dialogue[Done]:
        """Open the contactors, and read back that they are open."""
        if not self.outputs:
            return _refused("this module has no outputs in use; correct its setting outputs")
        off = [False] * self.outputs
        # The answer is not waited for: what is read back decides.
        yield Tell(
            tx=modbus.write_bits_request(self._unit.address, OUTPUTS, off), quiet_s=AFTER_DROP_S
        )
        _, closed = yield from self._state()
        if any(closed):
            return _refused("the contactors stay closed; use the emergency stop of the room")
        self._may_close = True
        return Done(state=CommandState.CONFIRMED)

    def _poll_inputs(self) -> Dialogue[Polled]:
        """The contacts; without any, one output is read so that somebody answers."""
        count = len(self.inputs)
        table, first = (modbus.FLAGS, CONTACTS) if count else (modbus.COILS, OUTPUTS)
        data, at = yield from self._unit.read(table, first, max(count, 1))
        states = modbus.bits(data, count)
        measured = tuple(
            Measured(input=one.number, value=float(state != (one.number in self._inverted)))
            for one, state in zip(self.inputs, states, strict=True)
        )
        return Polled(at=at, measured=measured)

    def _state(self) -> Dialogue[tuple[bool, tuple[bool, ...]]]:
        """Whether the watchdog has tripped, and which outputs are on."""
        (tripped,) = yield from self._unit.read_bits(modbus.COILS, TIMED_OUT, 1)
        closed = yield from self._unit.read_bits(modbus.COILS, OUTPUTS, self.outputs)
        return tripped, closed

    def _arm(self) -> Dialogue[None]:
        off = [False] * self.outputs
        yield from self._keep(SAFE, off, "outputs off as its safe values (00129)")
        yield from self._keep(POWER_ON, off, "outputs off after power-on (00161)")
        # Where output commands clear a time-out, nobody would learn of it.
        told = yield from self._unit.told(modbus.COILS, CLEARS_BY_OUTPUT, 1)
        if told is not None and any(modbus.bits(told, 1)):
            yield from self._keep(CLEARS_BY_OUTPUT, [False], "its time-outs (00260)")
        yield from self._unit.write_words(TIME_OUT, [self._tenths])
        data, _ = yield from self._unit.read(modbus.HOLDING, TIME_OUT, 1)
        if modbus.words(data) != (self._tenths,):
            raise self._does_not_keep("the time-out of its host watchdog (40489)")
        yield from self._keep(WATCHDOG_ON, [True], "its host watchdog on (00261)")

    def _keep(self, first: int, wanted: list[bool], what: str) -> Dialogue[None]:
        """Set coils and read them back; raises `Refused` where they differ."""
        yield from self._unit.write_bits(first, wanted)
        found = yield from self._unit.read_bits(modbus.COILS, first, len(wanted))
        if list(found) != wanted:
            raise self._does_not_keep(what)

    def _does_not_keep(self, what: str) -> Refused:
        return Refused(
            f"module {self._unit.address} does not keep {what}; it cannot guard the contactors, "
            "use another module"
        )

    def _check_polarity(self) -> Dialogue[None]:
        for coil, what in (
            (INPUT_POLARITY, "inputs (00265)"),
            (OUTPUT_POLARITY, "outputs (00266)"),
        ):
            told = yield from self._unit.told(modbus.COILS, coil, 1)
            if told is not None and any(modbus.bits(told, 1)):
                raise Refused(
                    f"module {self._unit.address} inverts its {what}; set that to 0 at the module, "
                    "and name inverted contacts in the site file"
                )


def _mixed(closed: tuple[bool, ...]) -> bool:
    return any(closed) and not all(closed)


def _inverted(settings: Settings, inputs: int) -> frozenset[int]:
    given = settings.given("inverted")
    if given is None:
        return frozenset()
    known = range(1, inputs + 1)
    if not isinstance(given, list) or not all(type(one) is int and one in known for one in given):
        raise settings.refuse("inverted", f"it must be a list of inputs from 1 to {inputs}")
    return frozenset(given)


def _feed_message(settings: Settings) -> bytes:
    given = settings.given("feed_message")
    if given is None:
        return b""
    try:
        return bytes.fromhex(given if isinstance(given, str) else "?")
    except ValueError:
        allowed = 'it must be hexadecimal bytes, as "7e 2a 2a 0d"'
        raise settings.refuse("feed_message", allowed) from None


def _refused(reason: str) -> Done:
    return Done(state=CommandState.REFUSED, reason=reason)
