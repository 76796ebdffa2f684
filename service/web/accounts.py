"""Who is signed in where, for the web process: looked up in a thread, believed for some seconds.

Nothing here makes a page wait for the database: what was known before it failed goes on counting,
so that an enrolled station keeps stop, heat off and acknowledge.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import HTTPException
from sqlalchemy import Connection

from service.accounts import lockout, passwords, people, sign_ins, stations
from service.accounts.people import AccountsError
from service.accounts.sign_ins import SignIn
from service.accounts.stations import Station
from service.accounts.store import AccountStore, Unusable
from service.accounts.tables import hashed
from service.accounts.tokens import Tokens
from service.core.model import PersonRole

KNOWN_S = 5.0
"""A token seen this recently is not looked up again; also the longest that a revocation takes."""

KEPT_SEEN_S = 60.0
MOST_KNOWN = 10_000
MOST_WAITING = 8
"""So many passwords wait to be looked at, one at a time; each costs 50 ms and 64 MiB."""

Value = TypeVar("Value")
Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
WRONG = "Name or password is wrong."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is at a page, and where it is.

    `user` is empty while nobody is signed in, `station` away from the enrolled stations that may
    act; `screen` names any enrolled screen, a wall display too. An idle person only watches.
    """

    user: str
    role: PersonRole
    station: str = ""
    screen: str = ""
    screen_role: PersonRole | None = None
    idle: bool = False

    @property
    def acts(self) -> bool:
        """Whether a person is there who may be asked for a command."""
        return bool(self.user) and not self.idle


class SignInRefused(Exception):
    """Nobody was signed in; `wait_s` is above 0 while another try is not looked at."""

    def __init__(self, says: str, *, wait_s: float = 0.0) -> None:
        super().__init__(says)
        self.wait_s = wait_s


class Known(Generic[Value]):
    """What tokens stand for, as far as they were looked up lately; an old answer beats none."""

    def __init__(self, read: Read, look: Callable[[Connection, str, float], Value | None]) -> None:
        self._read, self._look = read, look
        self._known: OrderedDict[str, tuple[Value, float]] = OrderedDict()
        self._looking: dict[str, asyncio.Task[Value | None]] = {}
        self._since_s = 0.0

    def forget(self) -> None:
        """Look everything up anew, but go on knowing it while that cannot be done."""
        self._since_s = time.monotonic()
        self._looking = {}

    def knows(self, token: str) -> bool:
        """Whether this token has stood for something before."""
        return hashed(token) in self._known

    async def find(self, token: str) -> Value | None:
        """What the token stands for. Raises 503 when that cannot be known now."""
        if not token:
            return None
        key = hashed(token)
        known, checked_s = self._known.get(key, (None, 0.0))
        if known is not None and checked_s > max(self._since_s, time.monotonic() - KNOWN_S):
            return known
        try:
            return await asyncio.shield(self._looking.get(key) or self._look_up(key))
        except HTTPException:
            if known is None:
                raise
            return known

    def _look_up(self, key: str) -> asyncio.Task[Value | None]:
        """Look in the database, once for all who ask meanwhile."""
        looking = self._looking

        def looked(task: asyncio.Task[Value | None]) -> None:
            if looking.get(key) is task:
                del looking[key]

        task = looking[key] = asyncio.create_task(self._look_now(key))
        task.add_done_callback(looked)
        return task

    async def _look_now(self, key: str) -> Value | None:
        asked_s = time.monotonic()
        found: Value | None = await self._read(lambda db: self._look(db, key, time.time()))
        self._known.pop(key, None)
        if found is not None:
            self._known[key] = (found, asked_s)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return found


class Accounts:
    """The accounts of one room. `idle_s` without a hand on the page, and a person only watches."""

    def __init__(self, url: str, *, room: str, idle_s: float) -> None:
        self.room = room
        self._url = url
        self._idle_s = idle_s
        self._store: AccountStore | None = None
        self._people = Known(self.read, sign_ins.of_token)
        self._screens = Known(self.read, stations.of_token)
        self._active_utc: dict[str, float] = {}
        self._kept_utc: dict[str, float] = {}
        self._opening = asyncio.Lock()
        self._checking = asyncio.Lock()
        self._waiting = 0
        self._writing: set[asyncio.Task[None]] = set()

    async def session(self, tokens: Tokens) -> Session | None:
        """Who these tokens are; None for nobody. Raises 503 when that cannot be known now."""
        of_screen = self._screens.knows(tokens.bearer)
        person = await self._people.find("" if of_screen else tokens.bearer or tokens.person)
        screen = await self._screens.find(tokens.screen or ("" if person else tokens.bearer))
        screen = screen if screen and screen.room == self.room else None
        if person is None:
            return _of_screen(screen) if screen else None
        here = screen.station if screen and screen.role is not PersonRole.DISPLAY else ""
        return Session(
            user=person.person,
            role=person.role,
            station=here or person.station,
            screen=screen.station if screen else "",
            screen_role=screen.role if screen else None,
            idle=not person.program and self._is_idle(person, tokens.person),
        )

    async def touch(self, tokens: Tokens) -> None:
        """The person has just done something: the idle time begins anew."""
        person = await self._people.find(tokens.person)
        if person is None or self._is_idle(person, tokens.person):
            return  # only signing in again ends that
        key, now = hashed(tokens.person), time.time()
        self._active_utc[key] = now
        if now - max(person.seen_utc, self._kept_utc.get(key, 0.0)) > KEPT_SEEN_S:
            self._kept_utc[key] = now
            task = asyncio.create_task(self._keep_seen(key, now))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def sign_in(
        self, name: str, password: str, address: str, *, program: bool = False
    ) -> tuple[str, str]:
        """The person's own spelling of the name, and a token. Raises SignInRefused."""
        who = lockout.subjects(name, address)
        if self._waiting >= MOST_WAITING:
            raise SignInRefused("Too many people sign in at once. Try again.", wait_s=1.0)
        self._waiting += 1
        try:
            async with self._checking:
                wait_s = await self._do(lambda db: lockout.wait_s(db, who, time.time()))
                if wait_s > 0:
                    raise _must_wait(wait_s)
                found = await self._do(lambda db: people.password_of(db, name))
                stored = found[1] if found else None
                if not await asyncio.to_thread(passwords.is_right, password, stored) or not found:
                    wait_s = await self._do(lambda db: lockout.failed(db, who, time.time()))
                    raise SignInRefused(WRONG, wait_s=wait_s)
                return found[0], await self._do(lambda db: _begin(db, found[0], who[0], program))
        finally:
            self._waiting -= 1

    async def use_code(self, text: str) -> tuple[sign_ins.Code, Tokens]:
        """What a one-time code opens, and the tokens for it. Raises AccountsError."""
        return await self.change(lambda db: _use(db, text, self.room))

    async def sign_out(self, tokens: Tokens) -> None:
        """End the person's session; an enrolled screen stays enrolled."""
        key = hashed(tokens.bearer or tokens.person)
        await self.change(lambda db: sign_ins.end(db, key))
        self._active_utc.pop(key, None)
        self._kept_utc.pop(key, None)

    async def change(self, do: Callable[[Connection], Value]) -> Value:
        """Change the accounts; what was known of tokens is looked up anew.

        Raises AccountsError when it cannot be done, 503 when the database cannot be used.
        """
        done = await self._do(do)
        self._people.forget()
        self._screens.forget()
        return done

    async def read(self, ask: Callable[[Connection], Value]) -> Value:
        """Look into the accounts. Raises 503 when the database cannot be used."""
        return await self._do(ask, reads=True)

    def close(self) -> None:
        """Let go of the database."""
        if self._store is not None:
            self._store.close()

    def _is_idle(self, person: SignIn, token: str) -> bool:
        active_utc = self._active_utc.get(hashed(token), 0.0)
        return time.time() - max(person.seen_utc, active_utc) > self._idle_s

    async def _keep_seen(self, key: str, now_utc: float) -> None:
        try:
            await self._do(lambda db: sign_ins.seen(db, key, now_utc))
        except HTTPException:
            self._kept_utc.pop(key, None)

    async def _do(self, do: Callable[[Connection], Value], *, reads: bool = False) -> Value:
        try:
            async with self._opening:
                if self._store is None:
                    self._store = await asyncio.to_thread(AccountStore, self._url)
            return await asyncio.to_thread(_in_transaction, self._store, do, reads)
        except Unusable as error:
            raise HTTPException(503, str(error)) from error


def _in_transaction(store: AccountStore, do: Callable[[Connection], Any], reads: bool) -> Any:
    with store.transaction(reads=reads) as db:
        return do(db)


def _of_screen(screen: Station) -> Session:
    acting = "" if screen.role is PersonRole.DISPLAY else screen.station
    return Session(
        user="",
        role=PersonRole.DISPLAY,
        station=acting,
        screen=screen.station,
        screen_role=screen.role,
    )


def _must_wait(wait_s: float) -> SignInRefused:
    says = f"Too many wrong tries: wait {wait_s:.0f} s, then try again."
    return SignInRefused(says, wait_s=max(wait_s, 1.0))


def _begin(db: Connection, name: str, subject: str, program: bool) -> str:
    lockout.succeeded(db, subject)
    return sign_ins.begin(db, name, time.time(), program=program)


def _use(db: Connection, text: str, room: str) -> tuple[sign_ins.Code, Tokens]:
    now_utc = time.time()
    code = sign_ins.use_code(db, text, now_utc)
    if code.person and people.known(db, code.person).disabled:
        raise AccountsError("This account is closed.", "code")
    person = sign_ins.begin(db, code.person, now_utc) if code.person else ""
    screen = ""
    if code.station:
        screen = stations.enrol(db, code.station, room, code.role, now_utc)
    return code, Tokens(person=person, screen=screen)
