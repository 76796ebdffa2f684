"""Whoever changes a signed record is found out, also one who makes every hash anew."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from service.core.model import Instant
from service.journal.chain import GENESIS, digest
from service.journal.codec import CODEC
from service.journal.keys import make_key, statement
from service.journal.room_facts import KeyRing, room_facts
from service.journal.rows import Row
from service.journal.signing import KeySigner
from service.journal.store import Store, open_writing
from service.journal.verify import Expected, Verdict, verify_chain, verify_rows
from tests.journal.material import SESSION
from tests.journal.signed import key_of, record_signed

Rows = Sequence[Row]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("signed")
    store = open_writing(f"sqlite:///{folder / 'hipec.db'}")
    record_signed(store, KeySigner(key_of(store, folder / "hipec.db.key")))
    yield store
    store.close()


@pytest.fixture(scope="module")
def rows(recorded: Store) -> Rows:
    return list(recorded.rows(SESSION))


@pytest.fixture(scope="module")
def keys(recorded: Store) -> KeyRing:
    return room_facts(recorded).keys


def chained_anew(rows: Rows) -> Rows:
    """The rows as somebody would leave them who knows how the chain is made, but has no key."""
    found: list[Row] = []
    previous = GENESIS
    for n, row in enumerate(rows):
        fields = {"chain": row.chain, "n": n, "kind": row.kind, "schema": row.schema}
        previous = digest(previous, **fields, at=row.at, body=row.body)  # type: ignore[arg-type]
        found.append(replace(row, n=n, digest=previous))
    return found


def flipped(data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1
        yield bytes(altered)


def altered_rows(row: Row) -> Iterator[Row]:
    """The row with every single byte of every one of its columns changed."""
    for body in flipped(row.body):
        yield replace(row, body=body)
    for sealed in flipped(row.digest):
        yield replace(row, digest=sealed)
    for kind in flipped(row.kind.encode()):
        yield replace(row, kind=kind.decode("latin-1"))
    for chain in flipped(row.chain.encode()):
        yield replace(row, chain=chain.decode("latin-1"))
    for byte in range(8):
        bit = 1 << 8 * byte
        yield replace(row, n=row.n ^ bit)
        yield replace(row, schema=row.schema ^ bit)
        yield replace(row, at=Instant(mono_ns=row.at.mono_ns ^ bit, utc_ns=row.at.utc_ns))
        yield replace(row, at=Instant(mono_ns=row.at.mono_ns, utc_ns=row.at.utc_ns ^ bit))


def verified(rows: Rows, keys: KeyRing, *expected: Expected) -> Verdict:
    return verify_rows(rows, SESSION, keys=keys, expected=expected)


def test_an_untouched_record_is_signed_to_its_end(recorded: Store, rows: Rows) -> None:
    for chain in (SESSION, "room"):
        verdict = verify_chain(recorded, chain)
        assert verdict.findings == []
        assert verdict.signed == verdict.size - 1
    assert [row.kind for row in rows].count("Checkpoint") == 2
    assert rows[-1].kind == "Checkpoint"
    assert rows[-2].kind == "SessionClosed"


@pytest.mark.requirement("RC-103")
def test_every_single_byte_of_every_column_of_every_row_is_proved(
    rows: Rows, keys: KeyRing
) -> None:
    unseen = []
    for place, row in enumerate(rows):
        for altered in altered_rows(row):
            found = verified([*rows[:place], altered, *rows[place + 1 :]], keys).findings
            if not any(f"Row {altered.n} of {altered.chain} " in text for text in found):
                unseen.append((row, altered))
    assert unseen == []


@pytest.mark.requirement("RC-103")
def test_every_row_taken_out_put_in_or_exchanged_is_found(rows: Rows, keys: KeyRing) -> None:
    for place in range(len(rows)):
        assert verified([*rows[:place], *rows[place + 1 :]], keys).findings
        for other in rows:
            assert verified([*rows[:place], other, *rows[place:]], keys).findings
        for second in range(place + 1, len(rows)):
            swapped = list(rows)
            swapped[place], swapped[second] = swapped[second], swapped[place]
            assert verified(swapped, keys).findings


def without(place: int) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:place], *rows[place + 1 :]]


def with_another_body(place: int) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        row = rows[place]
        return [*rows[:place], replace(row, body=row.body + b" "), *rows[place + 1 :]]

    return change


@pytest.mark.requirement("RC-135")
def test_a_chain_that_was_made_anew_without_the_key_is_found(rows: Rows, keys: KeyRing) -> None:
    for place in range(len(rows)):
        for change in (without(place), with_another_body(place)):
            found = verified(chained_anew(change(rows)), keys).findings
            assert found, f"row {place} ({rows[place].kind})"


@pytest.mark.requirement("RC-135")
def test_a_record_signed_with_somebody_elses_key_is_found(rows: Rows, tmp_path: Path) -> None:
    other = open_writing(f"sqlite:///{tmp_path / 'other.db'}")
    key_of(other, tmp_path / "other.key")
    found = verified(rows, room_facts(other).keys).findings
    assert "which this room did not use then" in found[0]
    other.close()


@pytest.mark.requirement("RC-135")
def test_a_checkpoint_in_the_rooms_name_that_another_key_signed_is_found(
    rows: Rows, keys: KeyRing, tmp_path: Path
) -> None:
    *before, last = rows
    signature = make_key(tmp_path / "stranger").sign(statement(last.kind, last.body))
    forged = replace(CODEC.decode(last.kind, last.body, last.schema), signature=signature)
    made = chained_anew([*before, replace(last, body=CODEC.encode(forged))])
    assert "its signature is not that of key" in verified(made, keys).findings[0]


@pytest.mark.requirement("RC-136")
def test_a_record_cut_anywhere_is_found_by_a_checkpoint_kept_elsewhere(
    rows: Rows, keys: KeyRing
) -> None:
    whole = verified(rows, keys)
    kept = Expected(size=whole.size, root=whole.root, source="the checkpoint of 10:00:09")
    assert verified(rows, keys, kept).findings == []
    for length in range(1, len(rows)):
        for left in (rows[:length], chained_anew(rows[:length])):
            found = "\n".join(verified(left, keys, kept).findings)
            assert f"rows {length} to {len(rows) - 1} were cut off" in found


@pytest.mark.requirement("RC-136")
def test_other_rows_than_those_of_the_checkpoint_kept_elsewhere_are_found(
    rows: Rows, keys: KeyRing
) -> None:
    kept = Expected(size=5, root="00" * 32, source="the checkpoint of 10:00:03")
    (found,) = verified(rows, keys, kept).findings
    assert found.startswith(f"Row 4 of {SESSION} (")
    assert "not those of the checkpoint of 10:00:03" in found


@pytest.mark.requirement("RC-136")
def test_a_closed_session_without_its_end_is_found(rows: Rows, keys: KeyRing) -> None:
    assert "no signed checkpoint ends its record" in verified(rows[:-1], keys).findings[0]
