"""`hipec keys show | rotate | replace`: the signing key of a room whose service is not running."""

import os
import time
from contextlib import closing, suppress
from pathlib import Path

from service.core.model import Instant
from service.journal.keys import Key, KeyProblem, load_key, make_key
from service.journal.room_facts import room_facts
from service.journal.rows import ROOM, JournalError, KeyInUse
from service.journal.signing import (
    KeySigner,
    introduced,
    keys_in_use,
    next_path,
    open_key,
)
from service.journal.store import Store, open_reading, open_writing
from service.journal.writer import Writer
from service.records.proof import keys_text

Answer = tuple[int, str]


def show(url: str) -> Answer:
    """Exit code and text: every key that the room used."""
    try:
        with closing(open_reading(url)) as store:
            return 0, keys_text(room_facts(store).keys, store.where)
    except JournalError as error:
        return 1, str(error)


def rotate(url: str, path: Path) -> Answer:
    """A new key takes the old one's place; both sign that, and the old one is gone."""
    try:
        with closing(open_writing(url)) as store:
            old, unnamed = open_key(store, path, _now())
            if unnamed is not None:
                _append(store, old, unnamed)
            following = next_path(path)
            following.unlink(missing_ok=True)
            new = make_key(following)
            _append(store, new, introduced(new, _now(), old=old))
            os.replace(following, path)
    except JournalError as error:
        return 1, str(error)
    return 0, f"Key {new.id} has taken the place of key {old.id}. Write it down; {path} holds it."


def replace(url: str, path: Path, reason: str) -> Answer:
    """A new key after the old one was lost, which the record says with the reason."""
    try:
        with closing(open_writing(url)) as store:
            newest = [in_use for _, in_use in keys_in_use(store)][-1:]
            if not newest:
                raise KeyProblem(f"The record in {store.where} names no key, so none can be lost.")
            if path.exists():
                _refuse_if_good(path, newest[0].key)
            new = make_key(path)
            _append(store, new, introduced(new, _now(), old=newest[0].key, reason=reason))
    except JournalError as error:
        return 1, str(error)
    return 0, f"Key {new.id} takes the place of the lost key {newest[0].key}. Write it down."


def _refuse_if_good(path: Path, named: str) -> None:
    found = ""
    with suppress(KeyProblem):
        found = load_key(path).id
    what = "is the room's key" if found == named else "is there"
    raise KeyProblem(
        f"{path} {what} and was left as it is. A key that is not lost is changed with"
        " `hipec keys rotate`; move a file that is not the room's key away first."
    )


def _append(store: Store, key: Key, in_use: KeyInUse) -> None:
    """Puts a row into the room's chain and has the chain signed with this key."""
    writer = Writer(
        store, on_durable=lambda _: None, on_trouble=lambda _: None, signer=KeySigner(key)
    )
    writer.append(ROOM, (in_use,))
    if writer.close():
        raise JournalError(f"The journal {store.where} cannot be written; the key stays as it was.")


def _now() -> Instant:
    return Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())
