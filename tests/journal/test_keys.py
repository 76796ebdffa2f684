"""The signing key: made once, kept to the service, and never quietly another."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from service.journal.keys import KeyProblem, is_signed, load_key, make_key
from service.journal.notary import Notary
from service.journal.room_facts import room_facts
from service.journal.rows import ROOM
from service.journal.signing import KeySigner, introduced, next_path, open_key
from service.journal.store import Store
from service.journal.verify import verify_chain
from tests.journal.material import SESSION, at, tick
from tests.journal.signed import key_of, record_signed, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hipec.db.key"


def problem(store: Store, file: Path) -> str:
    with pytest.raises(KeyProblem) as raised:
        open_key(store, file, at(1))
    return str(raised.value)


def test_the_first_start_makes_a_key_that_only_the_service_can_read(
    store: Store, file: Path
) -> None:
    key = key_of(store, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_key(file).public == key.public
    ((n, in_use),) = room_facts(store).keys.rows
    assert (n, in_use.key, in_use.public) == (1, key.id, key.public)
    assert key_of(store, file).id == key.id, "a second start makes no other key"
    assert verify_chain(store, ROOM).findings == []


@pytest.mark.requirement("RC-137")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o700])
def test_a_key_that_others_may_have_read_is_refused(store: Store, file: Path, mode: int) -> None:
    key_of(store, file)
    file.chmod(mode)
    assert f"mode {mode:04o}" in problem(store, file)
    assert f"chmod 600 {file}" in problem(store, file)


@pytest.mark.requirement("RC-137")
def test_a_missing_key_is_refused_and_no_other_is_made_in_its_place(
    store: Store, file: Path
) -> None:
    key = key_of(store, file)
    file.unlink()
    told = problem(store, file)
    assert told.startswith(f"The signing key {file} is missing")
    assert key.id in told
    assert "hipec keys replace" in told
    assert not file.exists()


@pytest.mark.requirement("RC-137")
def test_the_key_of_another_journal_is_refused(store: Store, file: Path) -> None:
    key = key_of(store, file)
    file.unlink()
    other = make_key(file)
    assert f"is key {other.id}, and the record" in problem(store, file)
    assert key.id in problem(store, file)


@pytest.mark.requirement("RC-137")
@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_file_without_a_key_is_refused(store: Store, file: Path, content: bytes) -> None:
    key_of(store, file)
    file.write_bytes(content)
    assert "holds no Ed25519 key" in problem(store, file)


def test_a_key_cannot_be_made_where_the_service_may_not_write(store: Store, file: Path) -> None:
    told = problem(store, file.parent / "nowhere" / "key")
    assert "cannot be made: No such file or directory" in told


@pytest.mark.requirement("RC-137")
def test_an_open_session_goes_on_without_its_key_and_the_record_says_so(
    store: Store, file: Path
) -> None:
    key_of(store, file)
    file.unlink()
    said: list[object] = []
    settings = {"key": file, "elsewhere": None, "at": at(1), "tell": said.append}
    with pytest.raises(KeyProblem):
        Notary(store, treating=lambda: False, **settings)  # type: ignore[arg-type]
    notary = Notary(store, treating=lambda: True, **settings)  # type: ignore[arg-type]
    record_signed(store, notary.signer)
    findings = "\n".join(verify_chain(store, SESSION).findings)
    assert "could not be signed then: The signing key" in findings
    assert "no signed checkpoint ends its record" in findings


def test_a_rotation_is_signed_by_both_keys_and_ends_the_old_one(store: Store, file: Path) -> None:
    old = key_of(store, file)
    new = make_key(next_path(file))
    write(store, KeySigner(old), [tick(2)])
    write(store, KeySigner(new), [introduced(new, at(3), old=old)])
    assert open_key(store, file, at(4))[0].id == new.id, "the file follows the record"
    assert not next_path(file).exists()
    verdict = verify_chain(store, ROOM)
    assert verdict.findings == []
    assert verdict.keys == {old.id, new.id}
    write(store, KeySigner(old), [tick(5)])
    (found,) = verify_chain(store, ROOM).findings
    assert f"signed with key {old.id}, which this room did not use then" in found


def test_a_session_after_a_rotation_is_not_believed_under_the_old_key(
    store: Store, file: Path
) -> None:
    old = key_of(store, file)
    new = make_key(next_path(file))
    write(store, KeySigner(new), [introduced(new, at(3), old=old)])
    record_signed(store, KeySigner(old))
    assert "did not use then" in verify_chain(store, SESSION).findings[0]


def test_a_key_that_the_one_before_did_not_sign_is_found(store: Store, file: Path) -> None:
    old = key_of(store, file)
    new, stranger = make_key(next_path(file)), make_key(file.with_name("stranger"))
    in_use = introduced(new, at(3), old=old)
    write(store, None, [replace(in_use, by_old=stranger.sign(b"anything"))])
    (found,) = verify_chain(store, ROOM).findings
    assert f"key {new.id} was not signed by key {old.id}" in found


def test_a_lost_key_is_replaced_and_the_record_says_why(store: Store, file: Path) -> None:
    old = key_of(store, file)
    file.unlink()
    new = make_key(file)
    write(store, KeySigner(new), [introduced(new, at(3), old=old.id, reason="disk died")])
    assert open_key(store, file, at(4))[0].id == new.id
    assert verify_chain(store, ROOM).findings == []
    assert [each.reason for _, each in room_facts(store).keys.rows] == ["", "disk died"]


def test_a_signature_is_of_one_statement_and_one_key(file: Path) -> None:
    key = make_key(file)
    signature = key.sign(b"this")
    assert is_signed(key.public, signature, b"this")
    assert not is_signed(key.public, signature, b"that")
    assert not is_signed(make_key(file.with_name("other")).public, signature, b"this")
    assert not is_signed("no key", "no signature", b"this")


def test_root_or_not_the_owner_of_the_key_is_checked(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_of(store, file)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert "as its owner, the user 12345" in problem(store, file)
