"""A bench whose instruments are alive: thermistors jitter, the roller pump ripples."""

from service.core.events import Frame
from service.core.model import Role, Unit
from tests.core.bench import Bench, at

__all__ = ["LiveBench", "alive", "live"]
JITTER = (0.0, 0.02, -0.01, 0.01, -0.02, 0.02, 0.0, -0.02, 0.01)
RIPPLE_MMHG = 20.0
"""The pressures' ripple beside the thermistors' jitter: 0.4 mmHg for 0.02 °C."""
KEPT = (Role.LEVEL, Role.FLOW)


class LiveBench(Bench):
    """Readings move a little with each frame, but for the channels that are stuck."""

    stuck: set[str]

    def read(self, device: str) -> Frame:
        frame = super().read(device)
        roles = {channel.id: channel.role for channel in self.state.room.channels}
        turn = self._real_ns // 10**9
        values = dict(self.values)
        for number, reading in enumerate(frame.readings):
            value = values.get(reading.channel)
            if value is None or reading.channel in self.stuck or roles[reading.channel] in KEPT:
                continue
            jitter = JITTER[(turn + 4 * number) % len(JITTER)]
            if reading.unit is Unit.DEG_C:
                self.values[reading.channel] = round(value + jitter, 3)
            elif reading.unit is Unit.MMHG:
                self.values[reading.channel] = value + RIPPLE_MMHG * jitter
        moved = super().read(device)
        self.values = values
        return moved


def alive(bench: Bench) -> LiveBench:
    """The same bench, whose readings move a little from now on."""
    bench.__class__ = LiveBench
    assert isinstance(bench, LiveBench)
    bench.stuck = set()
    return bench


def live(phase: str = "perfuse", protocol_id: str = "closed-mmc-90") -> LiveBench:
    """A living room in this phase, long enough for every window to be full."""
    bench = alive(at(phase, protocol_id))
    bench.run(70)
    bench.effects = []
    return bench
