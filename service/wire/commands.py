"""Commands: what a person may ask for, with which arguments, and how the web process passes it on.

Units are in the names. Ranges only catch slips of the finger; what may be done is the core's
decision.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, create_model

from service.core.model import PersonRole, Phase
from service.core.requests import KINDS
from service.wire.access import AccessTold
from service.wire.strict import Scalar, Strict

URGENT = frozenset({"stop", "heater_off", "abort"})
"""The commands that have a lane of their own, so that nothing queues before them."""

ANSWER_S = 2.0
"""How long the web process waits for the core's first answer to a command, in real seconds."""


def _utc(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError("write a time with its zone, such as 2026-01-01T10:42:00Z")
    try:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        raise ValueError("this year does not exist in UTC") from None


Line = Annotated[str, Field(min_length=1, max_length=100)]
UtcTime = Annotated[
    str, Field(max_length=40, json_schema_extra={"format": "date-time"}), AfterValidator(_utc)
]


def _kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"ask for one of {', '.join(KINDS)}")
    return text


class Args(Strict):
    """What a command without arguments takes: nothing. Others add their own.

    Ranges here only catch slips of the finger; what may be done is the core's decision.
    """

    model_config = ConfigDict(strict=True)


class OpenSession(Args):
    """Open a session on a protocol; what is left out is asked for by the checklist."""

    protocol: Line
    height_cm: float | None = Field(default=None, ge=30, le=250)
    weight_kg: float | None = Field(default=None, ge=1, le=400)
    duration_min: float | None = Field(default=None, gt=0, le=600)
    carrier: Line | None = None
    dose_mg: float | None = Field(default=None, gt=0, le=100_000)
    envelope: Line | None = None


class ConfirmChecklist(Args):
    """Confirm one line of the checklist."""

    item: Line


class CompareProbes(Args):
    """Compare the circuit's probes, or one that is named, with an independent reference, °C."""

    c: float = Field(ge=0, le=100)
    channel: Line | None = None


class StartPhase(Args):
    """Go on to this phase."""

    phase: Literal[tuple(str(phase) for phase in Phase)]  # type: ignore[valid-type]


class ConfirmDrug(Args):
    """A fraction of the drug was given, now or at a time in the past (with a reason)."""

    fraction: int = Field(ge=1, le=20)
    at: UtcTime | None = None


class ConfirmReminder(Args):
    """An intravenous drug that anesthesia was reminded of was given; numbers count from 1."""

    reminder: int = Field(ge=1, le=20)


class SetController(Args):
    """Who moves the heat. Fallback and stopped are never asked for."""

    mode: Literal["manual", "advisory", "automatic"]


class SetInflow(Args):
    """Ask for this inflow temperature, °C."""

    c: float = Field(ge=0, le=100)


class SetFlow(Args):
    """Ask for this flow, ml/min."""

    ml_min: float = Field(ge=0, le=10_000)


class Resume(Args):
    """Go on; who agrees, by name, where surgeon or anesthesia decide (with a reason)."""

    surgeon: Line | None = None
    anesthesia: Line | None = None


class Acknowledge(Args):
    """Acknowledge one occurrence of an alarm."""

    occurrence: Line


class Note(Args):
    """A line for the record."""

    text: str = Field(min_length=1, max_length=2000)


class Volume(Args):
    """A volume that a person measured or moved, ml."""

    kind: Line = Field(description="in, out, drained, or another line of the ledger")
    ml: float = Field(ge=0, le=50_000)


class EnterCore(Args):
    """A core temperature read from another monitor, °C."""

    c: float = Field(ge=20, le=45)
    site: Line | None = None


Kind = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)}), AfterValidator(_kind)]


class Ask(Args):
    """A request from anesthesia to the pump."""

    kind: Kind


class Answer(Args):
    """The answer to the open request of this kind; declining needs a reason."""

    kind: Kind
    accepted: bool = True


class Seen(Args):
    """Somebody has seen one occurrence of an alarm."""

    occurrence: Line


class Cooling(Args):
    """The patient is being cooled, or not any more."""

    on: bool


class HandOver(Args):
    """Offer control to another perfusionist, by the name of the account."""

    to: Line


COMMANDS: Mapping[str, type[Args]] = {
    "open_session": OpenSession,
    "close_session": Args,
    "confirm_checklist": ConfirmChecklist,
    "compare_probes": CompareProbes,
    "start_phase": StartPhase,
    "confirm_drug": ConfirmDrug,
    "confirm_reminder": ConfirmReminder,
    "set_controller": SetController,
    "set_inflow": SetInflow,
    "set_flow": SetFlow,
    "stop": Args,
    "heater_off": Args,
    "pause": Args,
    "resume": Resume,
    "abort": Args,
    "patient_unstable": Args,
    "acknowledge": Acknowledge,
    "pause_audio": Args,
    "note": Note,
    "volume": Volume,
    "enter_core": EnterCore,
    "request": Ask,
    "answer": Answer,
    "cooling": Cooling,
    "confirm_blood_test": Args,
    "seen": Seen,
    "take_control": Args,
    "hand_over": HandOver,
    "release_control": Args,
}


class Body(Strict):
    """What a person asks for: the command, why, and the second name where one is needed."""

    model_config = ConfigDict(strict=True)

    name: str
    args: Args = Args()
    reason: str = Field(default="", max_length=500)
    second: str = Field(default="", max_length=100)


def _body(name: str, args: type[Args]) -> type[Body]:
    needed = any(field.is_required() for field in args.model_fields.values())
    fields: dict[str, Any] = {
        "name": (Literal[name], ...),
        "args": (args, Field() if needed else Field(default_factory=args)),
    }
    return create_model(name.title().replace("_", "") + "Command", __base__=Body, **fields)


_BODIES = tuple(_body(name, args) for name, args in COMMANDS.items())
CommandBody: Any = Annotated[Union[_BODIES], Field(discriminator="name")]  # noqa: UP007
BODY: TypeAdapter[Body] = TypeAdapter(CommandBody)


class Hello(Strict):
    """The first message of each connection."""

    type: Literal["hello"]
    lane: Literal["main", "urgent"]


class By(Strict):
    """Who asks; `user` is empty for the enrolled station itself."""

    user: str
    role: PersonRole
    station: str


class CommandRequest(Strict):
    """A command on its way to the core. A key that was seen before must not act again.

    `asked_ns` is the monotonic clock that all processes of a host share: whoever waits for the
    answer has gone after `ANSWER_S`, so an older command of the main lane is to be refused.
    """

    type: Literal["command"]
    key: str
    name: str
    args: dict[str, Scalar]
    reason: str
    second: str
    by: By
    asked_ns: int


class Denied(Strict):
    """A request of a known caller that the web process has refused: for the record only."""

    type: Literal["denied"]
    key: str
    name: str
    reason: str
    by: By


class DisplayShown(Strict):
    """A display has drawn the message with this number; `latency_ms` is from arrival to paint."""

    type: Literal["shown"]
    display: str
    seq: int
    id: str = ""
    occurrence: str = ""
    latency_ms: float | None = None


class DisplayHeard(Strict):
    """An enrolled display that is there, and whether it can sound."""

    role: PersonRole
    audible: bool


class Displays(Strict):
    """The enrolled displays that were heard lately, by their station; said again and again.

    Silence of the web process is the loss of all of them. `hidden` are heard, but nobody sees them.
    """

    type: Literal["displays"]
    heard: dict[str, DisplayHeard]
    hidden: tuple[str, ...] = ()


class WhatIfAsked(Strict):
    """What would happen with another inflow (°C) or flow (ml/min); moves and records nothing."""

    type: Literal["what_if"]
    key: str
    inflow_c: float | None = None
    flow_ml_min: float | None = None


FromWeb = Hello | CommandRequest | Denied | DisplayShown | Displays | WhatIfAsked | AccessTold
FROM_WEB: TypeAdapter[FromWeb] = TypeAdapter(Annotated[FromWeb, Field(discriminator="type")])
