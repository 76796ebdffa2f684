"""Signing in by an OpenID Connect provider: code flow with PKCE; needs the extra `oidc`.

The provider says who it is and in which groups; the site file says which group is which role here.
Such an account is called name@provider, so that it is never taken for a local one. Local accounts
and stations go on working when the provider does not answer.
"""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection

from service.accounts import people, sign_ins
from service.accounts.tokens import Tokens
from service.core.model import PersonRole
from service.web.answers import Invalid, Reason
from service.web.settings import Oidc
from service.web.signing_in import Door, address_of, go_to, set_cookies
from service.wire import AccessKind

PENDING_S = 600.0
MOST_PENDING = 1000
ANSWER_S = 5.0
LEEWAY_S = 60
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
DOWN = "The hospital's sign-in does not answer. Sign in by name and password, or try again."
VOID = "This sign-in was not begun in this browser, or took too long. Begin again."
_Responses = dict[int | str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that was begun: what its end is checked with."""

    verifier: str
    nonce: str
    until_s: float


class Provider:
    """The provider, asked for its description and keys whenever they are needed."""

    def __init__(self, settings: Oidc) -> None:
        self.settings = settings
        self.host = urlsplit(settings.issuer).hostname or settings.issuer
        self._begun: OrderedDict[str, Begun] = OrderedDict()

    async def begin(self, redirect_uri: str) -> tuple[str, str]:
        """Where the browser is sent, and the state that it has to bring back."""
        state, verifier, nonce = (secrets.token_urlsafe(48) for _ in range(3))
        self._begun[state] = Begun(
            verifier=verifier, nonce=nonce, until_s=time.monotonic() + PENDING_S
        )
        if len(self._begun) > MOST_PENDING:
            self._begun.popitem(last=False)
        async with self._client(redirect_uri) as client:
            about = await self._about(client)
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        return url, state

    async def end(self, state: str, code: str, redirect_uri: str) -> dict[str, Any]:
        """What the provider says of the person, signed by it. Raises 401 where it does not fit."""
        begun = self._begun.pop(state, None)
        if begun is None or begun.until_s < time.monotonic():
            raise HTTPException(401, VOID)
        async with self._client(redirect_uri) as client:
            about = await self._about(client)
            token = await client.fetch_token(
                about["token_endpoint"], code=code, code_verifier=begun.verifier
            )
            keys = (await client.request("GET", about["jwks_uri"], withhold_token=True)).json()
        said = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        wanted = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": begun.nonce},
        )
        wanted.validate(said.claims)
        return said.claims

    def role_of(self, claims: dict[str, Any]) -> PersonRole | None:
        """The role of the first of the site's groups that the person is in."""
        groups = claims.get(self.settings.claim, ())
        groups = [groups] if isinstance(groups, str) else groups
        return next((r for group, r in self.settings.roles.items() if group in groups), None)

    def name_of(self, claims: dict[str, Any]) -> str:
        """The account's name here."""
        return f"{claims.get('preferred_username') or claims['sub']}@{self.host}"

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        secret = self.settings.secret_file
        return AsyncOAuth2Client(
            client_id=self.settings.client_id,
            client_secret=secret.read_text("utf-8").strip() if secret else None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=ANSWER_S,
            trust_env=False,
        )

    async def _about(self, client: AsyncOAuth2Client) -> dict[str, str]:
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        about: dict[str, str] = (await client.request("GET", url, withhold_token=True)).json()
        if about.get("issuer") != self.settings.issuer:
            raise HTTPException(503, DOWN)
        return about


def build(door: Door, settings: Oidc) -> APIRouter:
    """The two routes: there, and back."""
    router = APIRouter()
    provider = Provider(settings)
    secure = door.settings.secure
    cookie = "__Host-hipec-oidc" if secure else "hipec-oidc"
    responses: _Responses = {
        303: {"description": "Go on there"},
        401: {"model": Reason},
        403: {"model": Reason},
        422: {"model": Invalid},
        503: {"model": Reason},
    }

    @router.get("/signin/oidc", responses=responses, response_class=Response)
    async def there(request: Request) -> Response:
        """Send the browser to the provider."""
        try:
            url, state = await provider.begin(_back(request, door))
        except TROUBLE as error:
            raise HTTPException(503, DOWN) from error
        response = RedirectResponse(url, 303)
        # Lax: the provider's redirect comes from another site.
        response.set_cookie(
            cookie, state, max_age=round(PENDING_S), secure=secure, httponly=True, samesite="lax"
        )
        return response

    @router.get("/signin/oidc/back", responses=responses, response_class=Response)
    async def back(
        request: Request,
        state: Annotated[str, Query(min_length=1, max_length=200)],
        code: Annotated[str, Query(min_length=1, max_length=4000)],
    ) -> Response:
        """Take the provider's word, and sign the person in."""
        if not secrets.compare_digest(
            request.cookies.get(cookie, "").encode(), state.encode("utf-8", "replace")
        ):
            raise HTTPException(401, VOID)
        claims = await _claims(door, provider, request, state, code)
        response = await _signed_in(door, provider, request, claims)
        response.delete_cookie(cookie, secure=secure, httponly=True, samesite="lax")
        return response

    return router


TROUBLE = (httpx.HTTPError, AuthlibBaseError, OSError, KeyError, ValueError)
"""What a provider that is down, or speaks nonsense, looks like."""


def _back(request: Request, door: Door) -> str:
    origins = door.settings.origins
    origin = origins[0] if origins else f"{request.url.scheme}://{request.url.netloc}"
    if origin not in door.settings.allowed_origins:
        raise HTTPException(403, "Open the page under an address that the room's settings list.")
    return f"{origin}/signin/oidc/back"


async def _claims(
    door: Door, provider: Provider, request: Request, state: str, code: str
) -> dict[str, Any]:
    try:
        return await provider.end(state, code, _back(request, door))
    except JoseError as error:
        _refuse(door, provider.host, request, str(error))
        raise HTTPException(401, VOID) from error
    except TROUBLE as error:
        _refuse(door, provider.host, request, "the provider gave no sign-in")
        raise HTTPException(503, DOWN) from error


async def _signed_in(
    door: Door, provider: Provider, request: Request, claims: dict[str, Any]
) -> Response:
    name, role = provider.name_of(claims), provider.role_of(claims)
    if role is None:
        _refuse(door, name, request, "in no group that has a role here")
        raise HTTPException(403, f"{name} has no role in this room. Ask an administrator.")

    def begin(db: Connection) -> tuple[str, bool]:
        before = people.find(db, name)
        if before is None:
            people.add(db, name, role)
        elif before.disabled:
            raise people.AccountsError("This account is closed in this room.", "name")
        elif before.role is not role:
            people.set_role(db, name, role)
        changed = before is not None and before.role is not role
        return sign_ins.begin(db, name, time.time()), changed

    token, changed = await door.accounts.change(begin)
    where = {"address": address_of(request)}
    if changed:
        door.audit.tell(AccessKind.ROLE_CHANGED, name, by=provider.host, text=role.value, **where)
    door.audit.tell(AccessKind.SIGNED_IN, name, text=f"by {provider.host}", **where)
    tokens = Tokens(person=token)
    response = await go_to(door, request, tokens, foreign=True)
    set_cookies(response, tokens, door.settings)
    return response


def _refuse(door: Door, who: str, request: Request, text: str) -> None:
    door.audit.tell(AccessKind.SIGN_IN_REFUSED, who, text=text[:200], address=address_of(request))
