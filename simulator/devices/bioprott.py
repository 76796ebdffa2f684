"""em-tec BioProTT clamp-on flow meter, RS-232: a line every 100 ms, unasked (BioProTT FlowTrack SL
manual p. 32-33; FlowMeasurement System V1.00 p. 38-40 and 47)."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, SHORT, Probe, Source
from simulator.devices.text_line import Command, CommandBuffer

PUSH_S = 0.100
FLOW_INPUT = 1
WINDOWS_S = (0.1, 1.0, 10.0)
MOST_ML_MIN = 999_999
BLANK_FLOW, OVER, UNDER = "-" * 7, "^" * 6, "v" * 7
NO_SENSOR, NEAR_ZERO, POOR_COUPLING, DEVICE_ERROR = 0xE0, 0x40, 0x20, 0x01
OVER_TEMPERATURE = 0x1A
FACTOR = re.compile(r"C([01]\.\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMeterSettings:
    """How the meter is set up. Not certain from the manuals, hence settings: whether fields are
    padded to their full width, CR LF or LF CR, what an unknown letter does, each status bit."""

    padded: bool = True
    line_end: str = "\r\n"
    hangs_on_unknown: bool = True
    tables: int = 5
    coupling_percent: int = 97
    poor_coupling_percent: int = 34
    board_c: int = 41
    near_zero_ml_min: float = 5.0
    push_s: float = PUSH_S
    info: str = '00012345 3/8" x 3/32" PVC NaCl 40C 5 +10000 61414 FT_GFX_EV2200'


class FlowMeter(Instrument):
    """Means over 0.1, 1 and 10 s of plant time; lines every 100 ms of real time."""

    title = "em-tec BioProTT clamp-on flow"
    serial = SerialLine(baud=38400)
    fault_names = frozenset(
        {"refuses", "stuck", "offset", "drift", "coupling", "no_sensor", "overflow"}
        | {"underflow", "alarm"}
    )
    inputs = (FLOW_INPUT,)

    def __init__(self, flow_ml_min: Source, settings: FlowMeterSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or FlowMeterSettings()
        self._probe = Probe(flow_ml_min, faults=self.faults, number=FLOW_INPUT)
        self._commands = CommandBuffer()
        self._next_s: float | None = None
        self.zero_ml_min = 0.0
        self._frozen = ""
        self.power_up()

    def power_up(self) -> None:
        """Table 1, factor 1.00, sending; what made the meter hang is over."""
        self.sending, self.hung = True, False
        self.table, self.factor = 1, 1.00
        self._commands.clear()
        self._forget()

    def sample(self, dt_s: float) -> None:
        """Keep the flow of the last 10 s of plant time."""
        value = self._probe.read(dt_s)
        if dt_s <= 0.0 or value in (OPEN, SHORT):
            return
        self._history.append((dt_s, value))
        self._held_s += dt_s
        while self._held_s - self._history[0][0] >= WINDOWS_S[-1]:
            self._held_s -= self._history.popleft()[0]

    def mean_ml_min(self, window_s: float) -> float:
        """Mean flow over the last `window_s` of plant time, zero and factor applied."""
        left_s, volume = window_s, 0.0
        for dt_s, value in reversed(self._history):
            volume += value * min(dt_s, left_s)
            left_s -= dt_s
            if left_s <= 1e-9:
                break
        mean = volume / (window_s - max(left_s, 0.0)) if self._history else 0.0
        return (mean - self.zero_ml_min) * self.factor

    def due_s(self) -> float | None:
        """When the next line is due; it is also due when idle or hung, and then not sent."""
        return self._next_s

    def tick(self, now_s: float) -> list[Send]:
        """One line for each 100 ms that has passed; after a gap it goes on from now."""
        if self._next_s is None or now_s - self._next_s > 1.0:
            self._next_s = now_s
        sends = []
        while self._next_s <= now_s + 1e-6:
            self._next_s += self.settings.push_s
            if self.sending and not self.hung:
                sends.append(Send((self.line() + self.settings.line_end).encode()))
        return sends

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Obey I, R, Z, S, Tn and Cx.yz; an unknown letter hangs the meter until power is cut."""
        sends = []
        for command in self._commands.feed(data, now_s, sent_s):
            if not self.hung and (reply := self._obey(command)):
                sends.append(Send((reply + self.settings.line_end).encode()))
        return sends

    def line(self) -> str:
        """The fields ee ss aaa p.pp and three means, board temperature, without line end."""
        if self.faults.has("stuck") and self._frozen:
            return self._frozen
        error, status, coupling, flows = self._shown()
        broken = coupling == "---"
        factor = "----" if broken else f"{self.factor:.2f}"
        fields = (f"{error:02X}", f"{status:02X}", coupling, factor, *flows, self._board())
        widths = (2, 2, 3, 4, 7, 7, 7, 6) if self.settings.padded else (0,) * 8
        self._frozen = " ".join(f"{f:>{w}}" for f, w in zip(fields, widths, strict=True))
        return self._frozen

    def describe(self) -> Mapping[str, object]:
        """Mean flow over 1 s in ml/min, table, factor, and whether it hangs."""
        return {
            "mean_ml_min": round(self.mean_ml_min(1.0), 1),
            "table": self.table,
            "factor": self.factor,
            "zero_ml_min": round(self.zero_ml_min, 1),
            "sending": self.sending,
            "hung": self.hung,
        }

    def _shown(self) -> tuple[int, int, str, tuple[str, ...]]:
        """Error, status, coupling and the three flow fields, with a fault's own forms."""
        blank, table = (BLANK_FLOW,) * 3, (self.table - 1) << 2
        alarm = self.faults.get("alarm")
        if self.faults.has("no_sensor"):
            return 0, NO_SENSOR, "---", blank
        if alarm:
            code = int(alarm.value or OVER_TEMPERATURE)
            return code, NEAR_ZERO | DEVICE_ERROR | table, "---", blank
        if self.faults.has("coupling"):
            return 0, POOR_COUPLING | table, str(self.settings.poor_coupling_percent), blank
        flows = tuple(self._flow(window_s) for window_s in WINDOWS_S)
        still = abs(self.mean_ml_min(WINDOWS_S[0])) < self.settings.near_zero_ml_min
        if self._blank_lines:
            self._blank_lines -= 1
            flows = blank
        coupling = str(self.settings.coupling_percent)
        return 0, (NEAR_ZERO if still else 0) | table, coupling, flows

    def _flow(self, window_s: float) -> str:
        value = round(self.mean_ml_min(window_s))
        if value > MOST_ML_MIN or self.faults.has("overflow"):
            return OVER
        if value < -MOST_ML_MIN or self.faults.has("underflow"):
            return UNDER
        return str(value)

    def _board(self) -> str:
        hot = self.faults.has("alarm") and not self.faults.has("no_sensor")
        return f"{77 if hot else self.settings.board_c:+d}"

    def _obey(self, command: Command) -> str:
        text = command.text.strip()
        factor = FACTOR.fullmatch(text)
        if self.faults.has("refuses") or not text:
            return ""
        if text == "S":
            return self.settings.info
        if text in ("I", "R"):
            self.sending = text == "R"
        elif text == "Z":
            self.zero_ml_min += self.mean_ml_min(1.0) / self.factor
        elif re.fullmatch(r"T[1-7]", text):
            self._use_table(int(text[1]))
        elif factor and 0.50 <= float(factor[1]) <= 1.50:
            self.factor = float(factor[1])
        elif not factor:
            self.hung = self.settings.hangs_on_unknown
        return ""

    def _use_table(self, number: int) -> None:
        if number <= self.settings.tables and number != self.table:
            self.table = number
            self._forget()
            self._blank_lines = 3

    def _forget(self) -> None:
        self._history: deque[tuple[float, float]] = deque()
        self._held_s = 0.0
        self._blank_lines = 0
        self._frozen = ""
