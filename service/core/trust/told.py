"""What alarms say of doubts: of a channel the plainest one, in the words of its first sight."""

from collections.abc import Callable, Iterator

from service.core import channels
from service.core.alarms import Finding
from service.core.model import Role
from service.core.state import Session, State
from service.core.trust.memory import Check


def doubted(check: Check, *, sites: bool) -> Callable[[State, Session], Iterator[Finding]]:
    """True for each channel (site or not) whose first doubt is of this check.

    A channel that gives no value any more says nothing: its doubt stands, and it is lost beside.
    """

    def look(state: State, session: Session) -> Iterator[Finding]:
        suspects = state.trust.suspects
        if not suspects:
            return
        for name in sorted(suspects):
            doubts = suspects[name].doubts
            if not doubts or doubts[0].check is not check:
                continue
            channel = channels.by_id(state.room)[name]
            if (channel.role is Role.SITE) is not sites:
                continue
            sample, first = channels.believed(state, channel), doubts[0]
            yield Finding(
                source=name,
                raw=True if sample is not None else None,
                text=first.text,
                value=first.value,
                limit=first.limit,
                sampled=sample.at if sample is not None else None,
            )

    return look
