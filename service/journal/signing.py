"""Signed checkpoints: what a chain held at a moment, in the name of the room's key."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from service.core.model import Instant
from service.journal.codec import CODEC
from service.journal.keys import Key, KeyProblem, is_signed, key_id, load_key, make_key, statement
from service.journal.merkle import Tree
from service.journal.rows import ROOM, Checkpoint, Entry, Head, KeyInUse, Unsigned
from service.journal.store import Store

CHECKPOINT_S = 60.0
"""How often a chain that has grown is signed (real seconds)."""


class Signer(Protocol):
    """Makes the row that signs a chain as it stands."""

    def sign(self, chain: str, head: Head, tree: Tree, at: Instant) -> Checkpoint | Unsigned:
        """The checkpoint of a chain whose newest row is `head`; never raises."""
        ...


class KeySigner:
    """Signs with the room's key and hands every checkpoint on to be kept elsewhere."""

    def __init__(self, key: Key, keep: Callable[[Checkpoint, str], None] | None = None) -> None:
        """`keep` is given each checkpoint and the public key, and must return at once."""
        self._key = key
        self._keep = keep

    def sign(self, chain: str, head: Head, tree: Tree, at: Instant) -> Checkpoint | Unsigned:
        """The signed checkpoint, or the row that says why there is none."""
        try:
            signed = self._signed(chain, head, tree, at)
            if self._keep is not None:
                self._keep(signed, self._key.public)
        except Exception as error:  # whatever is wrong with a signature, the record goes on
            return Unsigned(at=at, reason=f"The checkpoint could not be signed: {error}")
        return signed

    def _signed(self, chain: str, head: Head, tree: Tree, at: Instant) -> Checkpoint:
        plain = Checkpoint(
            at=at,
            chain=chain,
            size=tree.size,
            root=tree.root().hex(),
            head=head.digest.hex(),
            frontier=tuple(peak.hex() for peak in tree.frontier),
            key=self._key.id,
        )
        said = statement(Checkpoint.__name__, CODEC.encode(plain))
        return replace(plain, signature=self._key.sign(said))


class WithoutKey:
    """Signs nothing, and says so in the record: a treatment goes on although its key is gone."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def sign(self, chain: str, head: Head, tree: Tree, at: Instant) -> Checkpoint | Unsigned:
        """The row that says why there is no checkpoint."""
        return Unsigned(at=at, reason=self._reason)


def introduced(key: Key, at: Instant, *, old: Key | str = "", reason: str = "") -> KeyInUse:
    """The row that puts a key into use, signed by it and by the key that it replaces.

    `old` is that key, or only its id when it is lost.
    """
    replaces = old.id if isinstance(old, Key) else old
    plain = KeyInUse(at=at, key=key.id, public=key.public, replaces=replaces, reason=reason)
    said = statement(KeyInUse.__name__, CODEC.encode(plain))
    by_old = old.sign(said) if isinstance(old, Key) else ""
    return replace(plain, by_old=by_old, by_new=key.sign(said))


def keys_in_use(store: Store) -> Iterator[tuple[Entry, KeyInUse]]:
    """The rows of the room's chain that put a key into use, the oldest first."""
    for row in store.spoken(ROOM, [KeyInUse.__name__]):
        yield row, CODEC.decode(row.kind, row.body, row.schema)


def key_findings(body: bytes, in_use: KeyInUse, before: KeyInUse | None) -> Iterator[str]:
    """What is wrong with a row that puts a key into use, after the one `before` it."""
    said = statement(KeyInUse.__name__, body)
    if in_use.key != key_id(in_use.public):
        yield f"key {in_use.key} is not the key that stands beside it"
    if not is_signed(in_use.public, in_use.by_new, said):
        yield f"key {in_use.key} did not sign its own introduction"
    if in_use.replaces != (before.key if before else ""):
        yield f"key {in_use.key} replaces {in_use.replaces or 'none'}, which was not in use"
    elif before and not in_use.reason and not is_signed(before.public, in_use.by_old, said):
        yield f"key {in_use.key} was not signed by key {before.key}, which it replaces"


def next_path(path: Path) -> Path:
    """Where a rotation keeps the next key until the record names it."""
    return path.with_name(path.name + ".next")


def open_key(store: Store, path: Path, at: Instant) -> tuple[Key, KeyInUse | None]:
    """The room's key, made at the first start, and the row that is to introduce a new one.

    Raises KeyProblem when the key of the record is missing, is another, or is not kept safe.
    """
    newest = list(keys_in_use(store))[-1:]
    named = newest[0][1].key if newest else ""
    following = next_path(path)
    if named and following.exists() and load_key(following).id == named:
        os.replace(following, path)
    if not path.exists() and not named:
        key = make_key(path)
        return key, introduced(key, at)
    if not path.exists():
        raise KeyProblem(
            f"The signing key {path} is missing, and the record in {store.where} is signed with"
            f" key {named}. Put the file back from its copy, or, if it is lost, have it"
            " replaced, which the record will say: `hipec keys replace --reason …`."
        )
    key = load_key(path)
    if not named:
        return key, introduced(key, at)
    if key.id != named:
        raise KeyProblem(
            f"The signing key {path} is key {key.id}, and the record in {store.where} is signed"
            f" with key {named}. Put the right file back, or, if it is lost, move this one away"
            " and have it replaced: `hipec keys replace --reason …`."
        )
    return key, None
