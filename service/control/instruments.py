"""The room's instruments: from site file to links, from polls to frames, from effects to orders."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from drivers.classes import Done, Polled
from drivers.line import Lines
from drivers.link import Link
from service.core.effects import HeaterOff, HeaterRun, PumpRun, PumpStop
from service.core.events import Event, Frame, LinkChanged, Outcome
from service.core.model import (
    Channel,
    CommandState,
    DeviceClass,
    Instant,
    LinkState,
    Reading,
    Room,
    Validity,
)
from service.site_shape import DevicePart, Site

DriveEffect = HeaterOff | HeaterRun | PumpRun | PumpStop
LEASE_OFF_ORDER = 0
"""The order number of an off that a link sent by itself, because nobody renewed its lease."""


class Instruments:
    """All links of a room. `on_event` gets every frame, link change and outcome."""

    def __init__(
        self,
        site: Site,
        room: Room,
        now: Callable[[], Instant],
        on_event: Callable[[Event], None],
    ) -> None:
        self._now = now
        self._on_event = on_event
        self._channels = {
            device.name: [c for c in room.channels if c.device == device.name]
            for device in room.devices
        }
        lines = Lines(now)
        self._links = {part.name: self._link(part, lines) for part in site.device}
        self._drives = {
            str(device.device_class): self._links[device.name]
            for device in room.devices
            if device.device_class in (DeviceClass.HEATER, DeviceClass.PUMP)
        }
        self._running: dict[str, int] = {}

    def start(self) -> None:
        """Begin to connect every device."""
        for link in self._links.values():
            link.start()

    async def close(self) -> None:
        """Leave every port as it is."""
        for link in self._links.values():
            await link.close()

    def order(self, effect: DriveEffect) -> None:
        """Hand an effect to its drive; a run order already given is only renewed."""
        name = "heater" if isinstance(effect, HeaterOff | HeaterRun) else "pump"
        orders = self._drives[name].orders if name in self._drives else None
        if orders is None:
            none = Done(state=CommandState.REFUSED, reason=f"the room has no {name}")
            self._done(name, effect.order, none)
            return
        match effect:
            case HeaterOff() | PumpStop():
                self._running.pop(name, None)
                orders.off(effect.order)
                return
            case HeaterRun(bath_c=value) | PumpRun(flow_ml_min=value):
                if self._running.get(name) == effect.order and orders.renew(effect.lease_s):
                    return
                self._running[name] = effect.order
                orders.run(effect.order, value, effect.lease_s)

    async def make_safe(self, within_s: float) -> None:
        """Heater off and pump stopped, waited for; the links repeat it until it is confirmed."""
        all_orders = [link.orders for link in self._drives.values() if link.orders]
        for orders in all_orders:
            orders.off(None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while any(orders.off_wanted for orders in all_orders):
                    await asyncio.sleep(0.02)

    def _link(self, part: DevicePart, lines: Lines) -> Link:
        driver = part.make_driver()
        return Link(
            name=part.name,
            driver=driver,
            line=lines.line(part.port, driver.serial),
            poll_hz=part.poll_hz,
            on_frame=partial(self._polled, part.name),
            on_link=partial(self._linked, part.name),
            on_done=partial(self._done, str(driver.device_class)),
        )

    def _polled(self, device: str, polled: Polled) -> None:
        found = {measured.input: measured for measured in polled.measured}
        readings = []
        for channel in self._channels[device]:
            measured = found.get(channel.input)
            if measured is None:
                readings.append(_absent(channel))
                continue
            readings.append(
                Reading(
                    channel=channel.id,
                    value=measured.value,
                    unit=channel.unit,
                    validity=measured.validity,
                    reason=measured.reason,
                )
            )
        self._on_event(
            Frame(at=polled.at, device=device, readings=tuple(readings), status=polled.status)
        )

    def _linked(self, device: str, state: LinkState, reason: str, identity: str) -> None:
        self._on_event(
            LinkChanged(
                at=self._now(), device=device, state=state, reason=reason, identity=identity
            )
        )

    def _done(self, drive: str, order: int | None, done: Done) -> None:
        self._on_event(
            Outcome(
                at=self._now(),
                drive=drive,
                order=LEASE_OFF_ORDER if order is None else order,
                state=done.state,
                value=done.value,
                reason=done.reason,
            )
        )


def _absent(channel: Channel) -> Reading:
    """The device did not report this input at all."""
    return Reading(
        channel=channel.id,
        value=None,
        unit=channel.unit,
        validity=Validity.NOT_AVAILABLE,
        reason="not reported by its device",
    )
