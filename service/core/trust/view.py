"""What a look sees: one device's rows, the session, and whether warm fluid flows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols import schema
from service.core import channels
from service.core.changing import replace
from service.core.model import Channel, DeviceClass, Role
from service.core.state import Session, State
from service.core.trust.memory import Row

STEADY_K = 0.5
STEADY_S = 20.0
"""What flows is steady while it moved less than this within so long: lines and probes have lag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One look at a device: its channels, its rows up to now, and whose thresholds apply.

    `moved` is how far each channel moved in the whole window of `flat_s`.
    """

    state: State
    session: Session
    limits: schema.Trust
    device: str
    own: tuple[Channel, ...]
    rows: tuple[Row, ...]
    moved: Mapping[str, float] = field(default_factory=dict)

    @property
    def now_s(self) -> float:
        """Treatment seconds at this look."""
        return self.rows[-1][0]

    def series(self, channel: Channel, last_s: float) -> list[float | None]:
        """The channel's values of the last seconds, oldest first; None where there was none."""
        rows = self.state.past.rows.get(channel.device, ())
        if channel.device == self.device:
            rows = self.rows
        index = channels.position(self.state.room, channel)
        oldest_s, first = self.now_s - last_s - SLACK_S, len(rows)
        while first and rows[first - 1][0] >= oldest_s:
            first -= 1
        return [values[index] for _, values in rows[first:]]

    def believed_c(self, role: Role) -> float | None:
        """The value of the role's first channel that gives one and is not doubted, or None."""
        for channel in channels.of_role(self.state, role):
            value = self.undoubted(channel)
            if value is not None:
                return value
        return None

    def undoubted(self, channel: Channel) -> float | None:
        """The channel's fresh value, None when something stands against it."""
        sample = channels.fresh(self.state, channel)
        if sample is None or self.doubts(channel.id):
            return None
        return sample.value if sample.validity in channels.BELIEVED_BY_CEILINGS else None

    def doubts(self, channel: str) -> bool:
        """Whether anything stands against the channel."""
        suspect = self.state.trust.suspects.get(channel)
        return suspect is not None and bool(suspect.doubts)

    def read(self, channel: Channel) -> float | None:
        """The channel's fresh value, doubted or not."""
        sample = channels.believed(self.state, channel)
        return None if sample is None else sample.value

    def is_steady(self, channel: Channel) -> bool:
        """The channel has hardly moved lately."""
        values = [v for v in self.series(channel, STEADY_S) if v is not None]
        return len(values) > 1 and max(values) - min(values) < STEADY_K

    @property
    def flow_ml_min(self) -> float | None:
        """The flow that is known to run, None when the pump stands or nobody knows."""
        if self.state.pump.wanted is None:
            return None
        return channels.heat_flow_ml_min(self.state)

    @property
    def heats(self) -> bool:
        """The heater was told to run, says that it does, and its heat arrives."""
        check = self.session.heater_check
        fails = check is not None and check.short_c > 0.0
        on = self.state.heater.wanted is not None and not fails
        return on and channels.runs(self.state, DeviceClass.HEATER) is True


SLACK_S = 0.5


def other_view(view: View, device: str) -> View:
    """The same look at another device, as it was when that was looked at last."""
    own = channels.of_device(view.state, device)
    rows = view.state.past.rows[device]
    return replace(view, device=device, own=own, rows=rows)


def spans(view: View, last_s: float, until_s: float = 0.0) -> Mapping[str, float]:
    """How far each channel of the device moved from `last_s` to `until_s` ago.

    A window that a channel has no whole row of values for says nothing about it.
    """
    from_s, to_s = view.now_s - last_s - SLACK_S, view.now_s - until_s
    if view.rows[0][0] > from_s + 2 * SLACK_S:
        return {}
    rows = [values for s, values in view.rows if from_s <= s <= to_s]
    if not rows:
        return {}
    return {
        channel.id: max(values) - min(values)
        for channel, values in zip(view.own, zip(*rows, strict=True), strict=True)
        if None not in values
    }
