"""The web application: pages, API and live stream over one link to the control process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from service.web import (
    answers,
    api,
    displays,
    pages,
    people_api,
    questions,
    records_api,
    signing_in,
)
from service.web.accounts import Accounts
from service.web.audit import Audit
from service.web.commands import Commands
from service.web.control_link import ControlLink
from service.web.guard import Guard
from service.web.limits import Buckets
from service.web.live import Hub
from service.web.recent import Recent
from service.web.row_file import RowFile
from service.web.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The application for one room. Connects to the control process when it starts."""
    accounts = Accounts(settings.database, room=settings.room, idle_s=settings.idle_s)
    hub, kept = Hub(settings), RowFile(settings.socket.with_name("recent.jsonl"))
    recent = Recent(kept)

    def on_message(lane: str, text: str, message: dict[str, Any]) -> None:
        if lane == "main" and hub.boot not in (None, message.get("boot")):
            commands.restarted()
        if message.get("type") == "command":
            commands.heard(message)
        if message.get("type") == "what_if":
            desk.heard(message)
            return
        if lane == "main":
            hub.publish(text, message)
            audit.send()
            recent.heard(message)

    link = ControlLink(
        settings.socket,
        on_message=on_message,
        on_lost=hub.forget,
        heard_within_s=settings.heard_within_s,
    )
    commands, desk, audit = Commands(link), questions.WhatIfDesk(link), Audit(link)
    parts = api.Parts(
        settings=settings,
        accounts=accounts,
        link=link,
        hub=hub,
        commands=commands,
        rates=Buckets(burst=api.COMMANDS_BURST, rate_hz=api.COMMANDS_HZ),
    )
    door = signing_in.Door(
        settings=settings, accounts=accounts, audit=audit, hub=hub, commands=commands
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(task) for task in (link.run(), displays.report(hub, link))]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        accounts.close()
        kept.close()

    app = FastAPI(
        title="HIPEC room",
        version=settings.version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    answers.install(app, lambda request, body, why: api.note_refused(parts, request, body, why))
    app.add_middleware(Guard, secure=settings.secure)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)
    app.include_router(api.build(parts))
    app.include_router(questions.build(settings, accounts, recent, desk))
    app.include_router(signing_in.build(door))
    if settings.oidc is not None:
        from service.web import oidc  # its libraries come with the extra `oidc` only

        app.include_router(oidc.build(door, settings.oidc))
    app.include_router(people_api.build(settings, accounts, audit))
    app.include_router(records_api.build(settings, accounts, audit))
    app.include_router(pages.build(settings, accounts))
    if settings.pages.is_dir():
        app.router.routes.append(
            pages.PagesMount("/", pages.Pages(directory=settings.pages), name="pages")
        )
    app.state.parts = parts
    return app
