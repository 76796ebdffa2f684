"""A long record, altered at random places: every alteration is found, in its rows and on the disk.

`ALTERATIONS`, `MINUTES` and `SEED` in the environment change how many, how long and which.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.core.model import Instant
from service.journal.chain import GENESIS, digest
from service.journal.room_facts import room_facts
from service.journal.rows import Row
from service.journal.signing import KeySigner, open_key
from service.journal.store import Store, open_writing
from service.journal.verify import Expected, verify_chain, verify_rows
from tests.journal.material import falsify
from tests.journal.treatments import long_treatment, record
from tests.records.conftest import made
from tests.records.test_stand_alone import copy, unseen

__all__ = ["copy", "made"]

ALTERATIONS = int(os.environ.get("ALTERATIONS", "300"))
MINUTES = float(os.environ.get("MINUTES", "10"))
SEED = int(os.environ.get("SEED", "1"))
COMMAND = ".venv/bin/python -m pytest tests/campaign/test_tampering.py"
BLOBS = {"chunks": ("spoken", "measured", "sum", "hash"), "rows": ("body", "hash")}

Rows = list[Row]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path, str]]:
    path = tmp_path_factory.mktemp("long") / "hipec.db"
    store = open_writing(f"sqlite:///{path}")
    bench = long_treatment(MINUTES)
    key, introduction = open_key(store, path.with_name("key"), bench.events[0].at)
    session, _ = record(store, bench, KeySigner(key), first=introduction)
    yield store, path, session
    store.close()


def flipped(data: bytes, chance: random.Random) -> bytes:
    altered = bytearray(data)
    altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
    return bytes(altered)


def one_byte(rows: Rows, chance: random.Random) -> Rows:
    place = chance.choice([n for n, row in enumerate(rows) if row.body])
    row = rows[place]
    utc_ns = row.at.utc_ns ^ 1 << chance.randrange(60)
    other = chance.choice(
        [
            replace(row, body=flipped(row.body, chance)),
            replace(row, digest=flipped(row.digest, chance)),
            replace(row, at=Instant(mono_ns=row.at.mono_ns, utc_ns=utc_ns)),
        ]
    )
    return [*rows[:place], other, *rows[place + 1 :]]


def taken_out(rows: Rows, chance: random.Random) -> Rows:
    place = chance.randrange(len(rows))
    return [*rows[:place], *rows[place + 1 :]]


def put_in(rows: Rows, chance: random.Random) -> Rows:
    place = chance.randrange(len(rows))
    return [*rows[:place], chance.choice(rows), *rows[place:]]


def exchanged(rows: Rows, chance: random.Random) -> Rows:
    first, second = chance.sample(range(len(rows)), 2)
    found = list(rows)
    found[first], found[second] = found[second], found[first]
    return found


def cut_off(rows: Rows, chance: random.Random) -> Rows:
    return rows[: chance.randrange(1, len(rows))]


def chained_anew(rows: Rows) -> Rows:
    """As somebody would leave them who knows how the chain is made, but has no key."""
    found, previous = [], GENESIS
    for n, row in enumerate(rows):
        previous = digest(
            previous,
            chain=row.chain,
            n=n,
            kind=row.kind,
            schema=row.schema,
            at=row.at,
            body=row.body,
        )
        found.append(replace(row, n=n, digest=previous))
    return found


WAYS: tuple[Callable[[Rows, random.Random], Rows], ...] = (
    *(one_byte, one_byte, taken_out, put_in, exchanged, cut_off),
    lambda rows, chance: chained_anew(taken_out(rows, chance)),
    lambda rows, chance: chained_anew(cut_off(rows, chance)),
)


@pytest.mark.requirement("RC-103", "RC-135", "RC-136")
def test_every_random_alteration_of_a_long_record_is_found(
    recorded: tuple[Store, Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    store, _, session = recorded
    rows, facts = list(store.rows(session)), room_facts(store)
    keys, sealed = facts.keys, facts.sealed[session]
    kept = [Expected(size=sealed.size, root=sealed.root, source="the room's chain")]
    assert verify_rows(rows, session, keys=keys).findings == []
    unseen = []
    for number in range(ALTERATIONS):
        chance = random.Random(f"{SEED} {number}")
        altered = chance.choice(WAYS)(rows, chance)
        if altered != rows and not verify_rows(altered, session, keys=keys, expected=kept).findings:
            unseen.append(number)
    with capsys.disabled():
        print(f"\n{ALTERATIONS} alterations of {len(rows)} rows, {len(unseen)} unseen ({_how()})")
    assert unseen == []


@pytest.mark.requirement("RC-103")
def test_every_random_byte_of_the_database_is_found(
    recorded: tuple[Store, Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    store, path, session = recorded
    falsify(path, "SELECT 1")
    connection = sqlite3.connect(path, isolation_level=None)
    places = [
        (table, column, *at)
        for table, columns in BLOBS.items()
        for column in columns
        for at in connection.execute(
            f"SELECT chain, {'last_n' if table == 'chunks' else 'n'} FROM {table}"
            f" WHERE chain = ? AND length({column}) > 0",
            (session,),
        )
    ]
    unseen = []
    for number in range(ALTERATIONS):
        chance = random.Random(f"{SEED} {number}")
        table, column, chain, n = chance.choice(places)
        row = f"WHERE chain = ? AND {'last_n' if table == 'chunks' else 'n'} = ?"
        query = f"SELECT {column} FROM {table} {row}"
        (blob,) = connection.execute(query, (chain, n)).fetchone()
        update = f"UPDATE {table} SET {column} = ? {row}"
        connection.execute(update, (flipped(blob, chance), chain, n))
        if not verify_chain(store, session).findings:
            unseen.append((number, table, column, n))
        connection.execute(update, (blob, chain, n))
    connection.close()
    assert verify_chain(store, session).findings == []
    with capsys.disabled():
        print(f"\n{ALTERATIONS} bytes of {len(places)} blobs, {len(unseen)} unseen ({_how()})")
    assert unseen == []


@pytest.mark.requirement("RC-139")
def test_every_single_byte_of_every_file_of_an_export_is_found(copy: Path) -> None:
    assert unseen(copy, every=1) == []


def _how() -> str:
    return f"ALTERATIONS={ALTERATIONS} MINUTES={MINUTES:g} SEED={SEED} {COMMAND}"
