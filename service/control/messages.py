"""From the core's effects to the live messages that displays and programs receive."""

from dataclasses import asdict, dataclass
from typing import Any

from service.control.labels import utc
from service.control.snapshot import snapshot
from service.core.displays import CONCERNS_ANESTHESIA
from service.core.effects import AlarmChanged, CommandChanged, Effect, PhaseChanged, SessionOpened
from service.core.events import Frame
from service.core.model import Phase, Room
from service.core.state import State
from service.core.what_if import what_if
from service.wire import VERSION, WhatIfAsked

Json = dict[str, Any]
KEPT_SENT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event message, its number, and the alarm occurrence that it is about ("" for none)."""

    seq: int
    message: Json
    occurrence: str = ""


class Messages:
    """Numbers the messages of one boot and remembers which number each alarm was sent under.

    Events are numbered in the order in which they are sent; all else carries the number of the
    newest event that was sent, so that numbers never go back on the way to a reader.
    """

    def __init__(self, room: Room, boot: str) -> None:
        self._head = {"v": VERSION, "room": room.id, "boot": boot, "mode": str(room.mode)}
        self._seq = 0
        self._sent_seq = 0
        self._sent: dict[str, tuple[int, int]] = {}

    def events(self, effects: list[Effect]) -> list[Event]:
        """The event messages of one pass, numbered; other effects are not published as events."""
        found = []
        for effect in effects:
            body = _body(effect)
            if body is None:
                continue
            self._seq += 1
            occurrence = effect.occurrence if isinstance(effect, AlarmChanged) else ""
            message = {**self._head, "seq": self._seq, **body}
            found.append(Event(seq=self._seq, message=message, occurrence=occurrence))
        return found

    def sending(self, event: Event, mono_ns: int, *, durable: bool) -> Json:
        """The message as it leaves now: an alarm says when, and whether it is on the disk."""
        self._sent_seq = event.seq
        if not event.occurrence:
            return event.message
        self._sent.pop(event.occurrence, None)
        self._sent[event.occurrence] = (event.seq, mono_ns)
        while len(self._sent) > KEPT_SENT:
            self._sent.pop(next(iter(self._sent)))
        return {**event.message, "sent_ns": mono_ns, "durable": durable}

    def frame(self, frame: Frame, state: State) -> Json | None:
        """All channels of one device, as read in one go and as far as the core believes them.

        None for a frame that the core has refused, because its time cannot be.
        """
        samples = [state.samples.get(reading.channel) for reading in frame.readings]
        if any(sample is None or sample.at != frame.at for sample in samples):
            return None
        values = {
            sample.channel: {
                "value": sample.value,
                "unit": sample.unit,
                "validity": sample.validity,
                "reason": sample.reason,
            }
            for sample in samples
            if sample is not None
        }
        return {
            **self._head,
            "seq": self._sent_seq,
            "type": "frame",
            "device": frame.device,
            "at_ns": frame.at.mono_ns,
            "at_utc": utc(frame.at.utc_ns),
            "channels": values,
        }

    def snapshot(self, state: State) -> Json:
        """The whole state."""
        body = {"type": "snapshot", "state": snapshot(state, self._sent)}
        return {**self._head, "seq": self._sent_seq, **body}

    def what_if(self, asked: WhatIfAsked, state: State) -> Json:
        """The answer to one question about what would happen; under a millisecond of arithmetic."""
        found = what_if(state, inflow_c=asked.inflow_c, flow_ml_min=asked.flow_ml_min)
        body = {"type": "what_if", "key": asked.key, "found": asdict(found) if found else None}
        return {**self._head, "seq": self._sent_seq, **body}

    def heartbeat(self, state: State) -> Json:
        """The control process lives and has processed that many events."""
        return {
            **self._head,
            "seq": self._sent_seq,
            "type": "heartbeat",
            "processed": state.processed,
        }


def _body(effect: Effect) -> Json | None:
    match effect:
        case AlarmChanged():
            return _alarm(effect)
        case PhaseChanged():
            moved = {"from": effect.from_phase, "to": effect.to_phase, "by": effect.by}
            return {"type": "phase", **moved}
        case SessionOpened():
            return {"type": "phase", "from": None, "to": Phase.SETUP, "by": effect.by}
        case CommandChanged():
            return {
                "type": "command",
                "key": effect.key,
                "name": effect.name,
                "state": effect.state,
                "requested": effect.requested,
                "granted": effect.granted,
                "limited_by": effect.limited_by,
                "reason": effect.reason,
            }
    return None


def _alarm(effect: AlarmChanged) -> Json:
    return {
        "type": "alarm",
        "event": effect.event,
        "id": effect.id,
        "source": effect.source,
        "occurrence": effect.occurrence,
        "priority": effect.priority,
        "presence": effect.presence,
        "text": effect.text,
        "do": effect.do,
        "value": effect.value,
        "limit": effect.limit,
        "sampled_ns": effect.sampled.mono_ns if effect.sampled else None,
        "decided_ns": effect.at.mono_ns,
        "by": effect.by,
        "for_anesthesia": effect.id in CONCERNS_ANESTHESIA,
    }
