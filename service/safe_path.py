"""Makes a room's drives safe without the control process: the supervisor's use of the drivers."""

import asyncio
import threading
from collections.abc import Sequence
from functools import partial

from drivers.classes import Contactor, Heater, Pump
from drivers.link import is_contactor, is_drive
from drivers.safe import Safely, make_safe
from service.core.model import DeviceClass
from service.site_shape import Site

DROP_WITHIN_S = 2.0
HEATER_OFF = "heater off"


class SafePath:
    """The heater, the pump and the contactors of one site, reached over their own ports."""

    def __init__(self, site: Site) -> None:
        self._drives: list[tuple[str, Heater | Pump]] = []
        self._contactors: list[tuple[str, Contactor]] = []
        for part in site.device:
            driver = part.make_driver()
            if is_drive(driver):
                self._drives.append((part.port, driver))
            elif is_contactor(driver):
                self._contactors.append((part.port, driver))

    async def make_safe(self, *, pump_ml_min: float | None, within_s: float) -> list[str]:
        """Heater off; the pump lowered to this flow, stopped at 0, left alone at None.

        Repeated until confirmed or until `within_s` is over. Contactors open by themselves, as
        nobody feeds them now; where the heater is not confirmed off, they are opened as well.
        Returns what happened, in words.
        """
        acts = [
            (port, drive, *found)
            for port, drive in self._drives
            if (found := _safely(drive, pump_ml_min))
        ]
        said: list[str] = []
        confirmed = await _carry_out(acts, said, within_s)
        if any(
            act[2] == HEATER_OFF and not done for act, done in zip(acts, confirmed, strict=True)
        ):
            drops = [(port, each, "contactors open", each.drop) for port, each in self._contactors]
            await _carry_out(drops, said, DROP_WITHIN_S)
        return said


Act = tuple[str, Heater | Pump | Contactor, str, Safely]
"""The port, the drive, what is done to it in words, and its dialogue."""


async def _carry_out(acts: Sequence[Act], said: list[str], within_s: float) -> list[bool]:
    """Do all at once; whether each was confirmed in time."""
    stop = threading.Event()
    work = [
        asyncio.to_thread(
            make_safe, port, drive.serial, drive, safely, stop=stop, tell=partial(_note, said, what)
        )
        for port, drive, what, safely in acts
    ]
    done = asyncio.gather(*work)
    try:
        return await asyncio.wait_for(asyncio.shield(done), within_s)
    except TimeoutError:
        stop.set()
        return await done


def _safely(drive: Heater | Pump, pump_ml_min: float | None) -> tuple[str, Safely] | None:
    if drive.device_class is DeviceClass.HEATER:
        return HEATER_OFF, drive.off
    if pump_ml_min is None:
        return None
    if pump_ml_min <= 0:
        return "pump stop", drive.off
    lower: Safely = partial(drive.lower, pump_ml_min)  # type: ignore[union-attr]
    return f"pump not above {pump_ml_min:.0f} ml/min", lower


def _note(said: list[str], what: str, news: str) -> None:
    said.append(f"supervisor: {what}: {news}")
