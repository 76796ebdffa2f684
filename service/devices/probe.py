"""`hipec devices probe`: who answers, what it reads, and how long that takes."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from drivers.classes import Identity, Polled
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.link import describe
from service.devices import readings
from service.devices.bench import Bench, BenchError, NotUnderstood, explain, opened
from service.devices.round_trips import Times, pushed, times, trips
from service.devices.stranger import who_is_there


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a probe found. `polled` is the newest poll that succeeded, `failed` says why others
    did not, `times` are None where nothing came back."""

    identity: Identity
    polled: Polled
    polls: int
    failed: tuple[str, ...]
    times: Times | None


async def probe(bench: Bench, polls: int, say: Callable[[str], None]) -> Probed:
    """Identify the instrument and poll it `polls` times; raises `BenchError` where it never reads,
    and says who else speaks or answers there as far as listening and questions can tell.
    `say` is told before that, as it takes its time.

    A poll that fails among others that do not is counted and told.
    """
    try:
        return await _probe(bench, polls)
    except NotUnderstood as failure:
        say(f"not understood as {bench.driver.name}; looking who else is there, some 20 s")
        found = await who_is_there(bench, failure.may_ask)
        raise BenchError(f"{failure}; {found}") from None


async def _probe(bench: Bench, polls: int) -> Probed:
    driver, good, failed = bench.driver, [], []
    async with opened(bench) as (line, recorder):
        identity = await line.run(driver.identify())
        for _ in range(polls):
            try:
                good.append(await line.run(driver.poll()))
            except (NoReply, BadReply, Refused) as failure:
                failed.append(explain(failure, bench, line))
            recorder.take(line.traffic())
        found = pushed(line, [one.at.mono_ns / 1e9 for one in good])
        times_found = times(found if driver.pushes else trips(line))
    if not good:
        raise BenchError(f"{describe(identity)} answered, but: {failed[-1]}")
    return Probed(
        identity=identity,
        polled=good[-1],
        polls=polls,
        failed=tuple(failed),
        times=times_found,
    )


def probe_text(bench: Bench, found: Probed) -> str:
    """The probe for a person."""
    driver, good = bench.driver, found.polls - len(found.failed)
    lines = [
        f"{driver.name} on {bench.port}, {driver.serial}",
        f"identity    {describe(found.identity)}",
        *readings.rows(driver, found.polled),
    ]
    if found.polled.status:
        lines.append(f"status      {readings.status_text(driver, found.polled.status)}")
    lines.append(f"polls       {good} of {found.polls} good")
    lines += [f"            failed: {why}" for why in dict.fromkeys(found.failed)]
    if found.times:
        lines.append(_times_text(found.times, driver.pushes))
    return "\n".join(lines)


def probe_json(bench: Bench, found: Probed) -> str:
    """The probe for a program, as one JSON object."""
    answer = {
        "driver": bench.driver.name,
        "port": bench.port,
        "line": str(bench.driver.serial),
        "identity": readings.identity_json(found.identity),
        **readings.polled_json(bench.driver, found.polled),
        "polls": {"asked": found.polls, "failed": found.failed},
        "round_trip": found.times and asdict(found.times),
        "pushes": bench.driver.pushes,
    }
    return json.dumps(answer, indent=2)


def _times_text(found: Times, pushes: bool) -> str:
    if pushes:
        return (
            f"messages    {found.count + 1}, unasked, one each {found.p50_ms:.1f} ms (p50), "
            f"longest gap {found.max_ms:.1f} ms; {found.wire_p50_ms:.1f} ms of it on the wire"
        )
    return (
        f"round trip  {found.count} questions: p50 {found.p50_ms:.1f} ms, "
        f"max {found.max_ms:.1f} ms; wire time p50 {found.wire_p50_ms:.1f} ms, "
        f"{found.beyond_wire_p50_ms:.1f} ms beyond it"
    )
