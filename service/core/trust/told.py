"""What alarms say of doubts: of a channel the plainest one, in the words of its first sight."""

from collections.abc import Callable, Iterator, Mapping

from service.core import channels
from service.core.alarms import Finding
from service.core.changing import replace
from service.core.model import Channel, Role
from service.core.state import Session, State
from service.core.trust.alone import LIVING
from service.core.trust.memory import Check, Suspect


def doubted(check: Check, *, sites: bool) -> Callable[[State, Session], Iterator[Finding]]:
    """True for each channel (site or not) whose first doubt is of this check.

    A channel that gives no value any more says nothing: its doubt stands, and it is lost beside.
    """

    def look(state: State, session: Session) -> Iterator[Finding]:
        suspects = state.trust.suspects
        if not suspects:
            return
        told = [name for name in sorted(suspects) if _first(suspects, name) is check]
        if check is Check.ORDER:
            yield from _out_of_order(state, told, sites=sites)
            return
        by_device = _by_device(state, told)
        for device in by_device.values():
            mixed = any(channel.role is not Role.SITE for channel in device)
            if check is Check.STUCK and _is_all(state, device):
                if mixed is not sites:
                    yield _of_device(state, device[0])
                continue
            for channel in device:
                if (channel.role is Role.SITE) is sites:
                    yield _of_channel(state, channel)

    return look


def _out_of_order(state: State, told: list[str], *, sites: bool) -> Iterator[Finding]:
    """One finding for all probes that are out of order: a swap has two ends and is one cause."""
    found = [channels.by_id(state.room)[name] for name in told]
    if found and all(channel.role is Role.SITE for channel in found) is sites:
        seen = [_of_channel(state, channel) for channel in found]
        first = next((finding for finding in seen if finding.raw), seen[0])
        yield replace(first, source="")


def _first(suspects: Mapping[str, Suspect], name: str) -> Check | None:
    doubts = suspects[name].doubts
    return doubts[0].check if doubts else None


def _by_device(state: State, names: list[str]) -> Mapping[str, list[Channel]]:
    found: dict[str, list[Channel]] = {}
    for name in names:
        channel = channels.by_id(state.room)[name]
        found.setdefault(channel.device, []).append(channel)
    return found


def _is_all(state: State, doubted: list[Channel]) -> bool:
    """Whether nothing of a device lives: one cause, one alarm."""
    own = channels.of_device(state, doubted[0].device)
    living = [channel for channel in own if channel.unit in LIVING]
    return len(doubted) > 1 and len(doubted) >= len(living)


def _of_device(state: State, channel: Channel) -> Finding:
    doubt = state.trust.suspects[channel.id].doubts[0]
    text = f"{channel.device.capitalize()} stands still: {doubt.text}"
    return Finding(source=channel.device, raw=True, text=text)


def _of_channel(state: State, channel: Channel) -> Finding:
    sample, first = (
        channels.believed(state, channel),
        state.trust.suspects[channel.id].doubts[0],
    )
    seen = sample is not None or first.check is Check.CONTACT
    return Finding(
        source=channel.id,
        raw=True if seen else None,
        text=first.text,
        value=first.value,
        limit=first.limit,
        sampled=sample.at if sample is not None else None,
    )
