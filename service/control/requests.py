"""From what a web process asks to an event of the core: protocol, body surface, times filled in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from protocols.dose import BsaFormula, DoseError, body_surface_m2
from protocols.schema import Protocol
from service.core.events import Command, Rejected, Shown
from service.core.model import Actor, Instant
from service.journal.rows import Access
from service.site import narrowed
from service.site_shape import SiteError
from service.wire import AccessTold, CommandRequest, Denied, DisplayShown
from service.wire.strict import Scalar


class Impossible(ValueError):
    """A request that cannot be made into a command; the text says why."""


def command(
    asked: CommandRequest,
    at: Instant,
    protocols: Mapping[str, Protocol],
    limits: Mapping[str, float],
) -> Command:
    """The core's event for a request. Raises `Impossible`."""
    args = dict(asked.args)
    protocol = None
    if asked.name == "open_session":
        protocol = _narrowed(protocols.get(str(args.get("protocol"))), limits)
        args |= _surface(args)
    if asked.name == "confirm_drug" and isinstance(given_utc := args.pop("at", None), str):
        args["ago_s"] = _seconds_ago(given_utc, at)
    return Command(
        at=at,
        key=asked.key,
        name=asked.name,
        args=args,
        reason=asked.reason,
        second=asked.second,
        by=_by(asked),
        protocol=protocol,
    )


def rejected(asked: CommandRequest | Denied, at: Instant, reason: str) -> Rejected:
    """The core's event for a request that cannot be made into a command."""
    return Rejected(at=at, key=asked.key, name=asked.name, reason=reason, by=_by(asked))


def _by(asked: CommandRequest | Denied) -> Actor:
    return Actor(user=asked.by.user, role=asked.by.role, station=asked.by.station)


def shown(asked: DisplayShown, at: Instant) -> Shown:
    """The core's event for a display that has drawn an alarm."""
    return Shown(
        at=at,
        display=asked.display,
        seq=asked.seq,
        id=asked.id,
        occurrence=asked.occurrence,
        latency_ms=asked.latency_ms,
    )


def access(told: AccessTold, at: Instant) -> Access:
    """The row of the room's record for who came in, was kept out, or changed that."""
    return Access(at=at, **told.model_dump(mode="json", exclude={"type"}))


def _narrowed(protocol: Protocol | None, limits: Mapping[str, float]) -> Protocol | None:
    if protocol is None:
        return None
    try:
        return replace(protocol, limits=narrowed(protocol, limits))
    except SiteError as error:
        raise Impossible(f"the site's limits do not fit this protocol: {error}") from error


def _surface(args: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Body surface area (Mosteller), where it can be had; the core's dose arithmetic needs it."""
    height, weight = args.get("height_cm"), args.get("weight_kg")
    if not isinstance(height, int | float) or not isinstance(weight, int | float):
        return {}
    try:
        area_m2 = body_surface_m2(float(height), float(weight), BsaFormula.MOSTELLER)
    except DoseError as error:
        raise Impossible(str(error)) from error
    return {"bsa_m2": round(area_m2, 3)}


def _seconds_ago(given_utc: str, now: Instant) -> float:
    ago_s = now.utc_ns / 1e9 - datetime.fromisoformat(given_utc).timestamp()
    if ago_s < 0:
        raise Impossible("the drug cannot have been given in the future")
    return ago_s
