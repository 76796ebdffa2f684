"""em-tec BioProTT FlowTrack and FlowMCP clamp-on ultrasonic flow meters: they speak unasked.

Manual p. 32-33, 38-40, 47: 38400 8N1, every 100 ms one line of error, status (hexadecimal),
coupling in %, calibration factor, mean flow in ml/min over 0.1, 1 and 10 s, board temperature.
Dashes are no value, ^ is overflow, v underflow. There is no check sum: number and width of all
fields are checked.
Nothing is ever written: an unknown letter can hang the meter until its power is cut.
"""

import re
from dataclasses import dataclass

from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.dialogue import BadReply, Dialogue, Listen, NoReply, Reply
from drivers.frames import arrived, line_of_text
from drivers.settings import Settings
from service.core.model import DeviceClass, Unit, Validity

FLOW = r"-?\d{1,6}|\d{7}|-{7}|\^{6,7}|v{6,7}"
LINE = re.compile(
    r" *(?P<error>[0-9A-F]{2}) +(?P<status>[0-9A-F]{2}) +(?P<coupling>\d{1,3}|---) +"
    rf"(?P<factor>\d\.\d\d|----) +(?P<s01>{FLOW}) +(?P<s1>{FLOW}) +(?P<s10>{FLOW}) +"
    r"(?P<board>[+-]\d{1,3}|-{3,6}) *"
)
NO_SENSOR, POOR_COUPLING = 0xE0, 0x20
INTERVAL_S = 0.1
RESYNC_LINES = 3
COLUMNS = {0.1: "0.1", 1.0: "1", 10.0: "10"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One line as sent. `flow` holds the three columns as text, by their seconds."""

    error: int
    status: int
    coupling_percent: int | None
    factor: float | None
    flow: dict[str, str]
    board_c: int | None


def decode_line(data: bytes) -> FlowLine:
    """Read one framed line; raises `BadReply` where a field is missing, added or misshapen."""
    found = LINE.fullmatch(data.decode("latin-1").strip("\r\n"))
    if found is None:
        raise BadReply(f"{arrived(data)} arrived, which is no line of a BioProTT flow meter")
    return FlowLine(
        error=int(found["error"], 16),
        status=int(found["status"], 16),
        coupling_percent=None if "-" in found["coupling"] else int(found["coupling"]),
        factor=None if "-" in found["factor"] else float(found["factor"]),
        flow={"0.1": found["s01"], "1": found["s1"], "10": found["s10"]},
        board_c=None if "--" in found["board"] else int(found["board"]),
    )


def decode_flow(line: FlowLine, column: str) -> Measured:
    """The mean flow of one column (`0.1`, `1` or `10` seconds) in ml/min, or why there is none."""
    text = line.flow[column]
    no_sensor = line.status & NO_SENSOR == NO_SENSOR
    why = "no sensor" if no_sensor else f"meter error {line.error:02X}" if line.error else ""
    if text[0] in "^v":
        validity = Validity.OVERFLOW if text[0] == "^" else Validity.UNDERFLOW
        return _without_value(validity, why or "flow out of the meter's range")
    if text.startswith("--") or why:
        return _without_value(Validity.INVALID, why or "poor coupling")
    if line.status & POOR_COUPLING:
        doubt = Validity.QUESTIONABLE
        return Measured(input=1, value=float(text), validity=doubt, reason="poor coupling")
    return Measured(input=1, value=float(text))


class BioProTT:
    """Driver of one flow meter. Setting: `mean_s`, 0.1, 1 (the usual) or 10 seconds.

    One second is steady enough to show pump pulses as flow, and tells a clamped line within 1 s.
    """

    name = "emtec_bioprott"
    device_class = DeviceClass.FLOW
    inputs: tuple[Input, ...] = (
        Input(number=1, unit=Unit.ML_MIN, resolution=1.0, name="flow (measured)"),
    )
    manual = "em-tec BioProTT FlowTrack / FlowMCP p. 32-33, 38-40, 47"
    revision = "none stated; copies seen: manualshive.com 2398508, 2398511"
    stop_bound_s = 0.0
    pushes = True

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=38400))
        self._column = COLUMNS[settings.choice("mean_s", 1.0, tuple(COLUMNS))]
        settings.finish()

    def identify(self) -> Dialogue[Identity]:
        """Wait for one line of the right shape; the meter does not say who it is."""
        yield from self._line()
        return Identity(model="em-tec BioProTT")

    def poll(self) -> Dialogue[Polled]:
        """The newest line that has arrived, waiting for one if there is none yet."""
        line, reply, errors = yield from self._line()
        while True:
            try:
                newer = yield Listen(reply=line_of_text, timeout_s=0.0)
                line, reply = decode_line(newer.data), newer
            except NoReply:
                measured = (decode_flow(line, self._column),)
                return Polled(at=reply.at, measured=measured, errors=errors)
            except BadReply:
                errors += 1

    def _line(self) -> Dialogue[tuple[FlowLine, Reply, int]]:
        """The next line and how many came spoiled before it; the first may be half a line."""
        for errors in range(RESYNC_LINES):
            reply = yield Listen(reply=line_of_text, timeout_s=3.5 * INTERVAL_S)
            try:
                return decode_line(reply.data), reply, errors
            except BadReply as misshapen:
                last = misshapen
        raise last


def _without_value(validity: Validity, reason: str) -> Measured:
    return Measured(input=1, value=None, validity=validity, reason=reason)
