"""Live messages: what the server tells every page, and the two things that a page answers."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import models_json_schema

from service.core.model import Mode, PersonRole, Phase, Presence, Priority
from service.wire.state import CommandStatus, State, Value
from service.wire.strict import Strict

VERSION = 1


class _Live(Strict):
    v: Literal[1]
    seq: int = Field(ge=0, description="rises by one with every alarm, phase and command message")
    room: str
    boot: str
    mode: Mode


class Snapshot(_Live):
    """Everything: at connection, once a second and after every event."""

    type: Literal["snapshot"]
    state: State


class FrameMessage(_Live):
    """All channels of one device, read in one go; stamped where its last byte arrived."""

    type: Literal["frame"]
    device: str
    at_ns: int
    at_utc: str
    channels: dict[str, Value]


class AlarmMessage(_Live):
    """An alarm's transition; the page answers it with `shown`."""

    type: Literal["alarm"]
    event: Literal["onset", "cleared", "acknowledged", "escalated", "reannounced", "source_lost"]
    id: str
    source: str = ""
    occurrence: str
    priority: Priority
    presence: Presence
    text: str
    do: str
    value: float | None
    limit: float | None
    sampled_ns: int | None
    decided_ns: int
    sent_ns: int
    durable: bool
    by: str = ""
    for_anesthesia: bool = False


class PhaseMessage(_Live):
    """The session moved on; `from` is null when it opened."""

    type: Literal["phase"]
    from_phase: Phase | None = Field(alias="from")
    to: Phase
    by: str


class CommandMessage(_Live, CommandStatus):
    """A command's state changed."""

    type: Literal["command"]


class Heartbeat(_Live):
    """The control process lives and has processed that many events; once a second."""

    type: Literal["heartbeat"]
    processed: int


class You(Strict):
    """Who this connection is. `may` lists the commands that would not be refused to it now.

    `name` is empty where nobody is signed in, `station` away from the room's enrolled stations;
    `idle` says that the person has been away too long and has to sign in again to act; `screen` is
    what the station itself is enrolled for, whoever is signed in there.
    """

    name: str
    role: PersonRole
    station: str
    may: list[str]
    holder: bool
    idle: bool = False
    screen: PersonRole | None = None


class HelloMessage(_Live):
    """First on each connection and whenever it changes; `boot` is empty until it is known."""

    type: Literal["hello"]
    you: You


LiveMessage = Annotated[
    Snapshot
    | FrameMessage
    | AlarmMessage
    | PhaseMessage
    | CommandMessage
    | Heartbeat
    | HelloMessage,
    Field(discriminator="type"),
]
LIVE: TypeAdapter[Any] = TypeAdapter(LiveMessage)


class Shown(Strict):
    """The page has drawn the message with this number.

    `latency_ms` is the page's own: from the alarm's arrival to its paint.
    """

    type: Literal["shown"]
    seq: int = Field(ge=0, lt=2**53, strict=True)
    id: str = Field(default="", max_length=100)
    occurrence: str = Field(default="", max_length=100)
    latency_ms: float | None = Field(default=None, ge=0, le=3_600_000, allow_inf_nan=False)


class Alive(Strict):
    """The page lives; once a second.

    `audible` says that a person has confirmed to hear its sound and that it runs, `visible` that
    the page is not behind another.
    """

    type: Literal["alive"]
    audible: bool = False
    visible: bool = True


class Active(Strict):
    """A hand was on the page since it last said so; keeps its person from being idle."""

    type: Literal["active"]


PAGE: TypeAdapter[Shown | Alive | Active] = TypeAdapter(
    Annotated[Shown | Alive | Active, Field(discriminator="type")]
)


def live_schema() -> dict[str, Any]:
    """JSON Schema of the server's live messages; the page's own stand beside them in `$defs`."""
    schema = LIVE.json_schema()
    _, page = models_json_schema([(each, "validation") for each in (Shown, Alive, Active)])
    schema["$defs"] |= page["$defs"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
