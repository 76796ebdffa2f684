"""What a page may ask besides the live stream: history, what would happen, a dose's arithmetic.

All of it only reads; nothing here moves or records anything.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from protocols.dose import BsaFormula, DoseError, body_surface_m2, dose_mg
from service.web.accounts import Accounts
from service.web.answers import Invalid, Reason, invalid
from service.web.authority import require_caller
from service.web.control_link import ControlLink, LinkDown
from service.web.recent import KEPT_S, STEP_S, Recent
from service.web.settings import Settings
from service.wire import ANSWER_S

SILENT = "The control process does not answer; nothing can be foretold now."
NOBODY = "Nobody is perfused, or the readings do not suffice, so nothing can be foretold."
BUSY = "Too many questions at once. Ask again in a second."
LEAST_S = 0.05
"""Questions come no closer together than this: each takes up to 1 ms of the core's time."""

MOST_WAITING = 8

_Responses = dict[int | str, dict[str, Any]]
_READ: _Responses = {401: {"model": Reason}, 422: {"model": Invalid}, 503: {"model": Reason}}


class History(BaseModel):
    """Readings thinned to one per step; times are treatment seconds of this boot, None is a gap."""

    room: str
    boot: str | None
    step_s: float
    times_s: list[float]
    channels: dict[str, list[float | None]]


class Course(BaseModel):
    """What is to come in five figures (seconds, °C); the gate is None where it is not reached."""

    gate_in_s: float | None
    core_peak_c: float
    hottest_c: float
    mean_c: float
    coldest_c: float


class WhatIfAnswer(BaseModel):
    """The change as it would be granted, the rest of the treatment without and with it."""

    inflow_c: float
    flow_ml_min: float
    planned: Course
    changed: Course
    text: str


class DoseAnswer(BaseModel):
    """Body surface and whole dose, with the arithmetic in words; never an order."""

    bsa_m2: float
    formula: str
    dose_mg_m2: float | None
    dose_mg: float | None
    text: str


class WhatIfDesk:
    """Questions on their way to the control process, and their answers."""

    def __init__(self, link: ControlLink) -> None:
        self._link = link
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count(1)
        self._asked_s = 0.0
        self._turn = asyncio.Lock()

    async def ask(self, inflow_c: float | None, flow_ml_min: float | None) -> dict[str, Any] | None:
        """What was found, None where nothing can be foretold; raises an HTTPException."""
        if len(self._waiting) >= MOST_WAITING:
            raise HTTPException(429, BUSY)
        with self._expecting() as (key, answer):
            change = {"inflow_c": inflow_c, "flow_ml_min": flow_ml_min}
            try:
                async with self._turn:
                    await asyncio.sleep(self._asked_s + LEAST_S - time.monotonic())
                    self._asked_s = time.monotonic()
                    self._link.send({"type": "what_if", "key": key, **change})
                said = await asyncio.wait_for(answer, ANSWER_S)
            except (LinkDown, TimeoutError):
                raise HTTPException(503, SILENT) from None
        found: dict[str, Any] | None = said["found"]
        return found

    @contextmanager
    def _expecting(self) -> Iterator[tuple[str, asyncio.Future[dict[str, Any]]]]:
        key = str(next(self._numbers))
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            yield key, answer
        finally:
            del self._waiting[key]

    def heard(self, message: dict[str, Any]) -> None:
        """Hand an answer to whoever waits for it."""
        answer = self._waiting.get(str(message.get("key")))
        if answer is not None and not answer.done():
            answer.set_result(message)


def build(settings: Settings, accounts: Accounts, recent: Recent, desk: WhatIfDesk) -> APIRouter:
    """The routes of these questions."""
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(HTTPBearer(auto_error=False))])
    _add_history(router, settings, accounts, recent)
    _add_what_if(router, settings, accounts, desk)
    _add_dose(router, settings, accounts)
    return router


def _add_history(router: APIRouter, settings: Settings, accounts: Accounts, recent: Recent) -> None:
    @router.get("/history", responses=_READ)
    async def history(
        request: Request,
        minutes: Annotated[float, Query(gt=0, le=KEPT_S / 60)] = KEPT_S / 60,
        step_s: Annotated[float, Query(ge=STEP_S, le=300)] = STEP_S,
    ) -> History:
        """The last minutes (of treatment time) of every channel, as far as they passed here."""
        await require_caller(request, settings, accounts)
        times_s, channels = recent.columns(60 * minutes, step_s)
        return History(
            room=settings.room,
            boot=recent.boot or None,
            step_s=step_s,
            times_s=times_s,
            channels=channels,
        )


def _add_what_if(
    router: APIRouter, settings: Settings, accounts: Accounts, desk: WhatIfDesk
) -> None:
    unanswered: _Responses = {n: {"model": Reason} for n in (409, 429, 503)}

    @router.get("/what-if", responses=_READ | unanswered)
    async def what_if(
        request: Request,
        inflow_c: Annotated[float | None, Query(ge=20, le=60)] = None,
        flow_ml_min: Annotated[float | None, Query(ge=0, le=10_000)] = None,
    ) -> WhatIfAnswer:
        """The rest of the treatment with another inflow or flow, beside going on as planned."""
        await require_caller(request, settings, accounts)
        found = await desk.ask(inflow_c, flow_ml_min)
        if found is None:
            raise HTTPException(409, NOBODY)
        return WhatIfAnswer(**found)


def _add_dose(router: APIRouter, settings: Settings, accounts: Accounts) -> None:
    @router.get("/dose", response_model=DoseAnswer, responses=_READ | {404: {"model": Reason}})
    async def dose(
        request: Request,
        protocol: Annotated[str, Query(min_length=1, max_length=100)],
        height_cm: Annotated[float, Query(ge=0, le=1000)],
        weight_kg: Annotated[float, Query(ge=0, le=1000)],
    ) -> Any:
        """Body surface area (Mosteller) and the dose that this protocol makes of it."""
        await require_caller(request, settings, accounts)
        entry = next((one for one in settings.protocols if one.id == protocol), None)
        if entry is None:
            raise HTTPException(404, f"This room has no protocol {protocol!r}.")
        try:
            surface_m2 = body_surface_m2(height_cm, weight_kg, BsaFormula.MOSTELLER)
        except DoseError as error:
            field = "height_cm" if "height" in str(error) else "weight_kg"
            return invalid([{"loc": ("query", field), "msg": str(error), "type": "dose"}])
        return _dose(surface_m2, height_cm, weight_kg, entry.dose_mg_m2, entry.drug)


def _dose(
    surface_m2: float, height_cm: float, weight_kg: float, per_m2: float | None, drug: str | None
) -> DoseAnswer:
    area = f"√({height_cm:g} cm × {weight_kg:g} kg / 3600) = {surface_m2:.2f} m²"
    whole_mg = None if per_m2 is None else dose_mg(per_m2, surface_m2)
    return DoseAnswer(
        bsa_m2=round(surface_m2, 3),
        formula=BsaFormula.MOSTELLER.value,
        dose_mg_m2=per_m2,
        dose_mg=None if whole_mg is None else round(whole_mg, 2),
        text=area
        if whole_mg is None
        else f"{area}; {drug} {per_m2:g} mg/m² × {surface_m2:.2f} m² = {whole_mg:.1f} mg",
    )
