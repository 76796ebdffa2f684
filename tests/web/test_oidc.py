"""Signing in by an OpenID Connect provider: a small one of our own that speaks real HTTP."""

import asyncio
import base64
import contextlib
import hashlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from service.accounts import people
from tests.web.conftest import Room, open_room, store_of
from tests.web.control_side import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Provider:
    """Issues codes for whoever asks; `claims` change what it says of them."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256", {"kid": "k1"})
        self.signs_with = self.key
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.about)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)
        self.app.get("/jwks")(self.jwks)

    async def about(self) -> dict[str, str]:
        ends = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
        }
        return {"issuer": self.issuer} | {n: f"{self.issuer}/{p}" for n, p in ends.items()}

    async def authorize(self, request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def token(self, request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self.asked.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        secret = base64.b64encode(b"room:secret").decode()
        known = request.headers.get("authorization") == f"Basic {secret}"
        if asked is None or asked["code_challenge"] != challenge or not known:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        said = {
            "iss": self.issuer, "aud": "room", "sub": "s-1", "iat": now, "exp": now + 60,
            "nonce": asked["nonce"], "preferred_username": "pat", "groups": ["perfusion-team"],
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256", "kid": "k1"}, said | self.claims, self.signs_with)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": token})

    async def jwks(self) -> dict[str, Any]:
        return KeySet([self.key]).as_dict(private=False)


@contextlib.asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider = Provider(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(provider.app, log_level="warning"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started, 30)
        try:
            yield provider
        finally:
            server.should_exit = True
            await running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[Provider]:
    async with providing() as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Room]:
    folder: Path = tmp_path_factory.mktemp("oidc")
    (folder / "secret").write_text("secret\n")
    oidc = {
        "issuer": provider.issuer, "client_id": "room", "secret_file": folder / "secret",
        "roles": {"perfusion-team": "perfusionist", "quality": "qa"},
    }  # fmt: skip
    async with open_room(folder, oidc=oidc) as room:
        yield room


@pytest.fixture
def room(served: Room, provider: Provider) -> Iterator[Room]:
    served.http.cookies.clear()
    served.control.received.clear()
    provider.claims, provider.signs_with = {}, provider.key
    yield served


async def back_from_provider(room: Room) -> httpx.URL:
    """The address that the provider sends the browser back to."""
    there = await room.http.get("/signin/oidc")
    assert there.status_code == 303
    async with httpx.AsyncClient(trust_env=False) as browser:
        return httpx.URL((await browser.get(there.headers["location"])).headers["location"])


def what(room: Room) -> list[tuple[str, str]]:
    return [(told["what"], told["who"]) for told in room.accesses()]


async def test_a_person_of_the_provider_signs_in_with_the_role_of_the_group(room: Room) -> None:
    assert (await room.http.get("/api/v1/signin")).json() == {"oidc": True}
    back = await back_from_provider(room)
    answer = await room.http.get(back)
    assert (answer.status_code, 'url=/"' in answer.text) == (200, True)
    assert what(room) == [("signed_in", "pat@127.0.0.1")]
    assert (await room.http.get("/api/session")).status_code == 200
    with store_of(room.parts.settings) as db:
        person = people.known(db, "pat@127.0.0.1")
    assert (person.role, person.has_password) == ("perfusionist", False)


async def test_what_the_provider_asks_for_is_code_with_pkce_and_a_nonce(room: Room) -> None:
    there = await room.http.get("/signin/oidc")
    asked = {k: v[0] for k, v in parse_qs(urlsplit(there.headers["location"]).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43
    cookie = there.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie


async def test_another_group_at_the_provider_is_another_role_here(
    room: Room, provider: Provider
) -> None:
    await room.http.get(await back_from_provider(room))
    provider.claims = {"groups": "quality"}
    await room.http.get(await back_from_provider(room))
    assert ("role_changed", "pat@127.0.0.1") in what(room)
    provider.claims = {"groups": ["gardeners"]}
    refused = await room.http.get(await back_from_provider(room))
    assert (refused.status_code, "no role" in refused.json()["reason"]) == (403, True)
    assert what(room)[-1] == ("sign_in_refused", "pat@127.0.0.1")


@pytest.mark.parametrize(
    "claims", [{"nonce": "other"}, {"aud": "elsewhere"}, {"iss": "http://x"}, {"exp": 1_000_000}]
)
async def test_a_word_that_is_not_meant_for_this_sign_in_is_not_taken(
    room: Room, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    answer = await room.http.get(await back_from_provider(room))
    assert (answer.status_code, "Begin again" in answer.text) == (401, True)
    assert what(room) == [("sign_in_refused", "127.0.0.1")]


async def test_a_word_that_the_provider_did_not_sign_is_not_taken(
    room: Room, provider: Provider
) -> None:
    provider.signs_with = ECKey.generate_key("P-256", {"kid": "k1"})
    assert (await room.http.get(await back_from_provider(room))).status_code == 401


async def test_an_answer_is_taken_once_and_only_in_the_browser_that_asked(room: Room) -> None:
    back = await back_from_provider(room)
    async with httpx.AsyncClient(base_url=room.origin, trust_env=False) as other:
        assert (await other.get(back)).status_code == 401
    state = room.http.cookies.get("hipec-oidc")
    assert (await room.http.get(back)).status_code == 200
    room.http.cookies.set("hipec-oidc", state or "")
    assert (await room.http.get(back)).status_code == 401


async def test_a_closed_account_stays_closed_whatever_the_provider_says(room: Room) -> None:
    await room.http.get(await back_from_provider(room))
    with store_of(room.parts.settings) as db:
        people.set_disabled(db, "pat@127.0.0.1", True)
    answer = await room.http.get(await back_from_provider(room))
    with store_of(room.parts.settings) as db:
        people.set_disabled(db, "pat@127.0.0.1", False)
    assert (answer.status_code, "closed" in answer.text) == (422, True)


async def test_without_the_provider_local_accounts_go_on_working(tmp_path: Path) -> None:
    oidc = {"issuer": "http://127.0.0.1:9", "client_id": "room", "roles": {}}
    async with open_room(tmp_path, oidc=oidc) as room:
        down = await room.http.get("/signin/oidc")
        local = await room.http.get("/api/session", headers=room.bearer())
    assert (down.status_code, local.status_code) == (503, 200)
    assert "name and password" in down.json()["reason"]
