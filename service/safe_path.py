"""Makes a room's drives safe without the control process: the supervisor's use of the drivers."""

import asyncio
import threading
from functools import partial

from drivers.classes import Heater, Pump
from drivers.link import is_drive
from drivers.safe import Safely, make_safe
from service.core.model import DeviceClass
from service.site_shape import Site


class SafePath:
    """The heater and the pump of one site, reached over their own ports."""

    def __init__(self, site: Site) -> None:
        self._drives: list[tuple[str, Heater | Pump]] = []
        for part in site.device:
            driver = part.make_driver()
            if is_drive(driver):
                self._drives.append((part.port, driver))

    async def make_safe(self, *, pump_ml_min: float | None, within_s: float) -> list[str]:
        """Heater off; the pump lowered to this flow, stopped at 0, left alone at None.

        Repeated until confirmed or until `within_s` is over; returns what happened, in words.
        """
        stop = threading.Event()
        said: list[str] = []
        work = [
            asyncio.to_thread(
                make_safe,
                port,
                drive.serial,
                drive,
                safely,
                stop=stop,
                tell=partial(_note, said, what),
            )
            for port, drive in self._drives
            if (found := _safely(drive, pump_ml_min))
            for what, safely in [found]
        ]
        done = asyncio.gather(*work)
        try:
            await asyncio.wait_for(asyncio.shield(done), within_s)
        except TimeoutError:
            stop.set()
            await done
        return said


def _safely(drive: Heater | Pump, pump_ml_min: float | None) -> tuple[str, Safely] | None:
    if drive.device_class is DeviceClass.HEATER:
        return "heater off", drive.off
    if pump_ml_min is None:
        return None
    if pump_ml_min <= 0:
        return "pump stop", drive.off
    lower: Safely = partial(drive.lower, pump_ml_min)  # type: ignore[union-attr]
    return f"pump not above {pump_ml_min:.0f} ml/min", lower


def _note(said: list[str], what: str, news: str) -> None:
    said.append(f"supervisor: {what}: {news}")
