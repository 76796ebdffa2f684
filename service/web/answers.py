"""What the web API answers: the shapes in OpenAPI, and errors as sentences for a person."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from service.accounts.people import AccountsError
from service.core.model import Mode
from service.wire import COMMANDS


class Reason(BaseModel):
    """Why not, and what to do next."""

    reason: str


class FieldError(BaseModel):
    """One field that does not fit."""

    field: str
    reason: str


class Invalid(Reason):
    """The first field that does not fit, and all of them."""

    field: str
    errors: list[FieldError]


class Accepted(BaseModel):
    """The core has taken the command; its outcome comes as `command` messages."""

    key: str
    state: Literal["requested"] = "requested"


class Refused(Reason):
    """The core refuses the command."""

    state: Literal["refused"] = "refused"


class Unknown(Reason):
    """Nobody can say yet what became of the command; ask for its key before repeating it."""

    state: Literal["unknown"] = "unknown"


class Health(BaseModel):
    """Whether the web process hears the control process; times in real seconds."""

    status: Literal["ok", "unavailable"]
    reason: str = ""
    room: str
    mode: Mode
    version: str
    boot: str | None
    processed: int | None
    silent_s: float | None
    pages: int
    displays: int


Note = Callable[[Request, Any, str], Awaitable[None]]
"""Told of a request whose body cannot be used: the request, its body, and why."""


def printable(text: str) -> str:
    """The text with what cannot be written as UTF-8 replaced."""
    return text.encode("utf-8", "replace").decode()


def _field(location: Sequence[Any]) -> str:
    parts = [str(part) for part in location[1:] if part not in COMMANDS]
    return printable(".".join(parts)) or "body"


def invalid(errors: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """The 422 for these validation errors; what was sent is not repeated."""
    found = []
    for error in errors:
        field, message = _field(error["loc"]), printable(error["msg"])
        if error["type"] == "json_invalid":
            field, message = "body", "The body is not JSON."
        found.append(FieldError(field=field, reason=message))
    first = found[0]
    answer = Invalid(reason=f"{first.field}: {first.reason}", field=first.field, errors=found)
    return JSONResponse(answer.model_dump(), 422)


def _on_invalid(note: Note) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = invalid(error.errors())
        await note(request, error.body, json.loads(bytes(found.body))["reason"])
        return found

    return answer


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        Reason(reason=printable(str(error.detail))).model_dump(),
        error.status_code,
        headers=dict(error.headers or {}),
    )


async def _on_accounts(_: Request, error: Exception) -> Response:
    assert isinstance(error, AccountsError)
    found = FieldError(field=error.field or "body", reason=str(error))
    answer = Invalid(reason=found.reason, field=found.field, errors=[found])
    return JSONResponse(answer.model_dump(), 422)


def install(app: FastAPI, note: Note) -> None:
    """Make every error of this app a sentence in JSON; `note` is told of each body that is none."""
    app.add_exception_handler(RequestValidationError, _on_invalid(note))
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(AccountsError, _on_accounts)
