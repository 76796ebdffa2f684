"""The room's instruments: from site file to links, from polls to frames, from effects to orders."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from drivers.classes import Done, Polled
from drivers.line import Lines, Opens
from drivers.link import Link
from drivers.orders import Orders
from drivers.port import Port
from service.core.effects import (
    ContactorDrop,
    ContactorHold,
    HeaterOff,
    HeaterRun,
    PumpRun,
    PumpStop,
)
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

SafeEffect = HeaterOff | PumpStop | ContactorDrop
"""Effects that make safe: ordered before anything else, the disk included."""
RunEffect = HeaterRun | PumpRun | ContactorHold
CONTACTOR = "contactor"
DRIVES: Mapping[type, str] = {
    HeaterOff: "heater",
    HeaterRun: "heater",
    PumpStop: "pump",
    PumpRun: "pump",
    ContactorDrop: CONTACTOR,
    ContactorHold: CONTACTOR,
}
DRIVE_OF_CLASS: Mapping[DeviceClass, str] = {
    DeviceClass.HEATER: "heater",
    DeviceClass.PUMP: "pump",
    DeviceClass.SWITCHES: CONTACTOR,
}
"""Names of drives, as outcomes carry them."""
CLOSED = 1.0
DROP_S = 1.0
"""How long the end of the process waits for the contactors to be read back open."""
LEASE_OFF_ORDER = 0
"""The order number of an off that a link sent by itself, because nobody renewed its lease."""


class Instruments:
    """All links of a room, by device. `on_event` gets every frame, link change and outcome;
    `opens` makes a port of its path and settings."""

    def __init__(
        self,
        site: Site,
        room: Room,
        now: Callable[[], Instant],
        on_event: Callable[[Event], None],
        opens: Opens = Port,
    ) -> None:
        self._now = now
        self._on_event = on_event
        self._channels = {
            device.name: [c for c in room.channels if c.device == device.name]
            for device in room.devices
        }
        lines = Lines(now, opens)
        self.links = {part.name: self._link(part, lines) for part in site.device}
        self._drives = {
            DRIVE_OF_CLASS[link.driver.device_class]: link.orders
            for link in self.links.values()
            if link.orders
        }
        self._running: dict[str, int] = {}

    def start(self) -> None:
        """Begin to connect every device."""
        for link in self.links.values():
            link.start()

    async def close(self) -> None:
        """Leave every port as it is."""
        for link in self.links.values():
            await link.close()

    def order(self, effect: SafeEffect | RunEffect) -> None:
        """Hand an effect to its drive; a run order already given is only renewed.

        Contactors that have opened under an order are closed again by a new order only.
        """
        name = DRIVES[type(effect)]
        orders = self._drives.get(name)
        if orders is None:
            none = Done(state=CommandState.REFUSED, reason=f"the room has no {name}")
            self._done(name, effect.order, none)
            return
        if isinstance(effect, SafeEffect):
            self._running.pop(name, None)
            orders.off(effect.order)
            return
        given = self._running.get(name) == effect.order
        if given and (orders.renew(effect.lease_s) or name == CONTACTOR):
            return
        self._running[name] = effect.order
        orders.run(effect.order, _value(effect), effect.lease_s)

    async def make_safe(self, within_s: float) -> None:
        """Heater off and pump stopped, then the contactors opened; each is waited for, and
        repeated by its link until it is confirmed."""
        orders = dict(self._drives)
        contactors = [orders.pop(CONTACTOR)] if CONTACTOR in orders else []
        await _all_off(orders.values(), within_s)
        await _all_off(contactors, DROP_S)

    def _link(self, part: DevicePart, lines: Lines) -> Link:
        driver = part.make_driver()
        return Link(
            name=part.name,
            driver=driver,
            line=lines.line(part.port, driver.serial),
            poll_hz=part.poll_hz,
            on_frame=partial(self._polled, part.name),
            on_link=partial(self._linked, part.name),
            on_done=partial(self._done, DRIVE_OF_CLASS.get(driver.device_class, "")),
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
            Frame(
                at=polled.at,
                device=device,
                readings=tuple(readings),
                status=polled.status,
                errors=polled.errors,
            )
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


def _value(effect: RunEffect) -> float:
    match effect:
        case HeaterRun(bath_c=bath_c):
            return bath_c
        case PumpRun(flow_ml_min=flow_ml_min):
            return flow_ml_min
    return CLOSED


async def _all_off(all_orders: Iterable[Orders], within_s: float) -> None:
    waited = list(all_orders)
    for orders in waited:
        orders.off(None)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while any(orders.off_wanted for orders in waited):
                await asyncio.sleep(0.02)


def _absent(channel: Channel) -> Reading:
    """The device did not report this input at all."""
    return Reading(
        channel=channel.id,
        value=None,
        unit=channel.unit,
        validity=Validity.NOT_AVAILABLE,
        reason="not reported by its device",
    )
