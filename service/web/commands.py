"""Commands over HTTP: checked, sent once per idempotency key, answered with the core's first word.

The outcome comes as `command` messages to every page and stands at the command's own address.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from service.core.model import CommandState
from service.web.accounts import Session
from service.web.authority import actor
from service.web.control_link import ControlLink, LinkDown
from service.wire import ANSWER_S, Body, CommandStatus

MOST_KEPT = 1000
"""So many newest commands can be asked for by key; a treatment has a few hundred."""

UNANSWERED = "The control process has not answered yet. Look at the device; ask again by the key."
RESTARTED = (
    "The control process restarted before it said what became of this command. "
    "It is not repeated: look at the device, then decide."
)
UNFINISHED = frozenset({CommandState.REQUESTED, CommandState.SENT})


class KeyReused(Exception):
    """The idempotency key belongs to another command or another person."""


@dataclass(slots=True, kw_only=True)
class Known:
    """One command that was sent, and what the core said of it: first, and newest."""

    fingerprint: str
    status: CommandStatus
    first: CommandStatus | None = None
    seq: int = -1
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Commands:
    """The commands of this web process by key."""

    def __init__(self, link: ControlLink) -> None:
        self._link = link
        self._known: OrderedDict[str, Known] = OrderedDict()

    async def give(
        self, key: str, body: Body, session: Session, asked_ns: int | None = None
    ) -> CommandStatus:
        """Send the command unless its key is known, and wait for the core's first word.

        `asked_ns` is when it was asked on the page, by the room's clock, None where that is not
        known. The state is `unknown` when there is none within `ANSWER_S`, or when nothing could
        be sent; raises KeyReused when the key stands for something else.
        """
        fingerprint = _fingerprint(body, session)
        known = self._known.get(key)
        if known is None:
            known = self._remember(key, body.name, fingerprint)
            try:
                self._link.send(_request(key, body, session, asked_ns))
            except LinkDown as error:
                del self._known[key]
                return _unknown(key, body.name, str(error))
        elif known.fingerprint != fingerprint:
            raise KeyReused
        try:
            await asyncio.wait_for(known.answered.wait(), ANSWER_S)
        except TimeoutError:
            return _unknown(key, body.name, UNANSWERED)
        return known.first or known.status

    def denied(self, key: str, name: str, reason: str, session: Session) -> None:
        """Have it put on record that this person's request was refused here."""
        note = {"type": "denied", "key": key, "name": name, "reason": reason, "by": _by(session)}
        with contextlib.suppress(LinkDown):
            self._link.send(note)

    def status(self, key: str) -> CommandStatus | None:
        """How far the command with this key has come, None when it is not known here."""
        known = self._known.get(key)
        return known.status if known else None

    def heard(self, message: dict[str, Any]) -> None:
        """Take in a `command` message; both lanes may carry the same one."""
        known = self._known.get(message.get("key", ""))
        if known is None or message["seq"] <= known.seq:
            return
        fields = CommandStatus.model_fields.keys() & message.keys()
        known.status = CommandStatus(**{name: message[name] for name in fields})
        known.seq = message["seq"]
        known.first = known.first or known.status
        known.answered.set()

    def restarted(self) -> None:
        """Another control process answers now: it will not say what became of what is open."""
        for key, known in self._known.items():
            known.seq = -1
            if known.first is None or known.status.state in UNFINISHED:
                known.status = _unknown(key, known.status.name, RESTARTED)
                known.answered.set()

    def _remember(self, key: str, name: str, fingerprint: str) -> Known:
        known = Known(fingerprint=fingerprint, status=_unknown(key, name, UNANSWERED))
        self._known[key] = known
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return known


def _unknown(key: str, name: str, reason: str) -> CommandStatus:
    return CommandStatus(key=key, name=name, state=CommandState.UNKNOWN, reason=reason)


def _request(key: str, body: Body, session: Session, asked_ns: int | None) -> dict[str, Any]:
    content = body.model_dump(mode="json", exclude_none=True)
    now_ns = time.monotonic_ns()
    asked = {"asked_ns": now_ns if asked_ns is None else min(now_ns, asked_ns)}
    return {"type": "command", "key": key, **content, "by": _by(session), **asked}


def _by(session: Session) -> dict[str, str]:
    by = actor(session)
    return {"user": by.user, "role": by.role.value, "station": by.station}


def _fingerprint(body: Body, session: Session) -> str:
    content = [body.model_dump(mode="json"), session.user, session.station]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
