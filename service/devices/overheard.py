"""Which instrument it is that speaks unasked: what was heard, read by each driver that listens.

Only what an instrument says unasked names it: an answer proves little about who gave it while the
question is another maker's.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from drivers.classes import Driver, Serial
from drivers.dialogue import BadReply, Dialogue, Listen, NoReply, Refused, Reply, Step, Tell, carry
from drivers.frames import Inbox
from drivers.line import Line
from drivers.mettler_sics import MettlerSics, is_weight
from drivers.port import LineLost
from drivers.registry import DRIVERS, most_hz
from service.core.model import Instant

START = Instant(mono_ns=0, utc_ns=0)
RARE_S, OFTEN_S = 5.5, 0.5
"""A patient monitor speaks every 5 s; flow meters and repeating scales several times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks unasked: its model, the name of its driver, and that driver's usual line."""

    model: str
    driver: str
    serial: Serial

    def __str__(self) -> str:
        return f"{self.model} (driver {self.driver})"


def recognise(heard: bytes) -> Speaker | None:
    """Whose instrument says this unasked; None for none known."""
    for name, model_of in LISTENERS.items():
        if model := model_of(heard):
            return Speaker(model=model, driver=name, serial=DRIVERS[name]().serial)
    return None


async def who_speaks(port: str, now: Callable[[], Instant], names: Iterable[str]) -> Speaker | None:
    """Listen as each of these drivers would, at its usual line settings; nothing is sent."""
    for name in names:
        driver = DRIVERS[name]()
        line = Line(port, driver.serial, now)
        gap_s = RARE_S if name in RARELY else OFTEN_S
        with contextlib.suppress(NoReply, LineLost):
            await line.open(who_speaks)
            try:
                return await line.run(_listen(gap_s))
            finally:
                line.close(who_speaks)
    return None


def _listen(gap_s: float) -> Dialogue[Speaker | None]:
    """Listen until somebody is recognised; raises `NoReply` where nobody is."""
    reply = yield Listen(
        reply=lambda heard: len(heard) if recognise(heard) else None, timeout_s=gap_s
    )
    return recognise(reply.data)


def _model(driver: Driver) -> Callable[[bytes], str]:
    """Who a driver that listens takes this for; what it asks for first goes nowhere."""

    def model_of(heard: bytes) -> str:
        inbox = Inbox()
        inbox.feed(heard, START)

        def take(step: Step) -> Reply:
            if isinstance(step, Tell):
                return Reply(data=b"", at=START)
            reply = inbox.take(step.reply)
            if reply is None:
                raise inbox.no_reply()
            return reply

        try:
            return carry(type(driver)().identify(), take).model
        except (NoReply, BadReply, Refused):
            return ""

    return model_of


def _scale(heard: bytes) -> str:
    """A scale that was told to repeat its weight: the line after the first is a whole one."""
    _, *whole = heard.replace(b"\r", b"\n").split(b"\n")
    return "MT-SICS scale that repeats its weight" if any(map(is_weight, whole[:-1])) else ""


LISTENERS: Mapping[str, Callable[[bytes], str]] = {
    **{name: _model(made) for name, make in DRIVERS.items() if (made := make()).pushes},
    MettlerSics.name: _scale,
}
RARELY = tuple(name for name in LISTENERS if (most_hz(DRIVERS[name]()) or 1.0) < 1.0)
OFTEN = tuple(name for name in LISTENERS if name not in RARELY)
