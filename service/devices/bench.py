"""One instrument on one port, named on the command line, and why it does not answer."""

import asyncio
import contextlib
import signal
import time
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.classes import Driver, SettingError
from drivers.dialogue import BadReply, Dialogue, Listen, NoReply, Refused
from drivers.line import Line
from drivers.port import LineLost
from drivers.registry import asked_at, make_driver
from drivers.wire_file import Recorder
from service.core.model import Instant
from service.devices import overheard

LISTENED_S = 0.25
LISTENED_LINES = 2
FAILURES = (NoReply, BadReply, Refused, LineLost)


class BenchError(Exception):
    """What was asked for cannot be done; the text says why and what to do."""


class NotUnderstood(BenchError):
    """Something may be there that is not what was asked for. `may_ask`: nothing spoke unasked, so
    that it hangs nobody to ask as other drivers do."""

    def __init__(self, text: str, *, may_ask: bool) -> None:
        super().__init__(text)
        self.may_ask = may_ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What stands on the bench: a driver with its settings, its port, where traffic is kept."""

    driver: Driver
    port: str
    settings: Mapping[str, object]
    record: Path | None = None


def make_bench(
    name: str, port: str, settings: Mapping[str, object], record: Path | None = None
) -> Bench:
    """Check what was typed; raises `BenchError` for a driver or setting that there is not."""
    try:
        driver = make_driver(name, settings)
    except SettingError as error:
        raise BenchError(str(error)) from None
    return Bench(driver=driver, port=port, settings=settings, record=record)


def read_settings(typed: Sequence[str]) -> dict[str, object]:
    """The settings typed as `key=value`, values as in `site.toml`; text needs no quotes.

    Raises `BenchError` for one without a key or a value.
    """
    settings: dict[str, object] = {}
    for one in typed:
        key, equals, value = one.partition("=")
        if not (key and equals and value):
            raise BenchError(f'--setting "{one}" cannot be used; write key=value, as external=true')
        try:
            settings[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key] = value
    return settings


def now() -> Instant:
    """The present moment."""
    return Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())


def ended() -> asyncio.Event:
    """Set once Ctrl-C, SIGTERM or a closed terminal asks this program to end."""
    event = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


@contextlib.asynccontextmanager
async def opened(bench: Bench) -> AsyncIterator[tuple[Line, Recorder]]:
    """The bench's line, listened to before anything is sent; raises `BenchError`.

    Some instruments that speak unasked hang when they hear a foreign question, so nothing is sent
    where one of them speaks and another driver was named.
    """
    line = Line(bench.port, bench.driver.serial, now)
    with Recorder(bench.record, bench.driver.name, bench.port, bench.settings) as recorder:
        try:
            await line.open(recorder)
            await _listen_first(bench, line, recorder)
            yield line, recorder
        except FAILURES as failure:
            told = explain(failure, bench, line)
            if isinstance(failure, LineLost):
                raise BenchError(told) from None
            may_ask = all(one.sent for one in line.traffic()[:1])
            raise NotUnderstood(told, may_ask=may_ask) from None
        finally:
            recorder.take(line.traffic())
            line.close(recorder)


def explain(failure: Exception, bench: Bench, line: Line) -> str:
    """Why the instrument was not understood, with what to look at, for a technician."""
    if isinstance(failure, LineLost):
        return str(failure)
    said = f"{bench.port}: {failure}"
    if isinstance(failure, Refused):
        return said
    heard = b"".join(one.data for one in line.traffic() if not one.sent)
    other = overheard.recognise(heard)
    if other and other.driver != bench.driver.name:
        return f"{said}; {other} speaks there"
    return f"{said}; asked as {bench.driver.name} at {_asked_at(bench)}; {_look_at(failure)}"


def _asked_at(bench: Bench) -> str:
    serial, usual = bench.driver.serial, type(bench.driver)().serial
    said = asked_at(bench.driver)
    return said if serial == usual else f"{said} (its usual line is {usual})"


def _look_at(failure: Exception) -> str:
    if isinstance(failure, NoReply) and str(failure) == "no answer":
        return "look at its power, its cable, its address and baud rate"
    if "baud rate" in str(failure):
        return "look at which instrument is connected, too"
    return "look at baud rate and parity, and at which instrument is connected"


async def _listen_first(bench: Bench, line: Line, user: object) -> None:
    with contextlib.suppress(NoReply, BadReply):
        await line.run(_listen())
    heard = b"".join(one.data for one in line.traffic())
    speaker = overheard.recognise(heard)
    if heard and speaker is None:
        # At another baud rate what it says is rubbish, and foreign questions may hang it.
        line.close(user)
        speaker = await overheard.who_speaks(bench.port, now, overheard.LISTENERS)
        if speaker and speaker.driver == bench.driver.name:
            raise BenchError(
                f"{bench.port}: {speaker} speaks there, at {speaker.serial} and not at "
                f"{bench.driver.serial}; use that line setting"
            )
        await line.open(user)
    if speaker and speaker.driver != bench.driver.name:
        raise BenchError(
            f"{bench.port}: {speaker} speaks there, not {bench.driver.name}; nothing was sent to it"
        )


def _listen() -> Dialogue[None]:
    yield Listen(reply=_some_lines, timeout_s=LISTENED_S)


def _some_lines(data: bytes) -> int | None:
    return len(data) if data.count(b"\n") >= LISTENED_LINES else None
