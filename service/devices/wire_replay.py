"""`hipec devices replay`: what recorded traffic means to a driver, and where it means nothing."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from drivers.classes import Driver, Identity, Polled
from drivers.frames import arrived
from drivers.line import Traffic
from drivers.link import describe
from drivers.wire_file import Recording, read_recording
from service.devices import readings
from service.devices.bench import BenchError, make_bench
from service.devices.recorded import Found, replay


def replay_text(path: Path, driver: str, settings: Mapping[str, object]) -> tuple[int, str]:
    """Every stretch of the recording with its second from the start; 1 where one is not decoded.

    Commands to a drive are shown as they were sent. Driver and settings are the recording's own
    unless others are named. Raises `WireFileError` and `BenchError`.
    """
    recording = read_recording(path)
    if not recording.traffic:
        raise BenchError(f"{path} holds no traffic")
    made = _driver(path, recording, driver, settings)
    found = list(replay(made, recording.traffic))
    lines = [line for one in found for line in _lines(made, one, recording.traffic[0])]
    decoded = sum(one.meant is not None for one in found)
    wrong = sum(bool(one.why) for one in found)
    lines.append(f"{made.name}: {decoded} decoded, {wrong} not")
    return (1 if wrong or not decoded else 0), "\n".join(lines)


def _driver(
    path: Path, recording: Recording, driver: str, settings: Mapping[str, object]
) -> Driver:
    name = driver or recording.driver
    if not name:
        raise BenchError(f"{path} does not say whose traffic it is; add --driver NAME")
    own = recording.settings if name == recording.driver else {}
    return make_bench(name, "", {**own, **settings}).driver


def _lines(driver: Driver, found: Found, first: Traffic) -> Iterator[str]:
    second = f"{found.at.seconds_since(first.at):9.3f} s  "
    match found.meant:
        case Identity() as identity:
            yield second + describe(identity)
        case Polled() as polled:
            yield second + readings.one_line(driver, polled)
        case None if found.why:
            yield f"{second}not decoded: {found.why}"
    if found.passed:
        said = ", ".join(
            f"{'sent' if one.sent else 'read'} {arrived(one.data)}" for one in found.passed
        )
        yield f"{second}neither identity nor readings: {said}"
