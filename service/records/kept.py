"""Checkpoints that somebody kept elsewhere: the only witness of rows cut off at the end."""

import json
from collections.abc import Iterator
from pathlib import Path

from service.journal.codec import CODEC
from service.journal.keys import is_signed, statement
from service.journal.room_facts import KeyRing
from service.journal.rows import Checkpoint, JournalError
from service.journal.verify import Expected
from service.records.times import utc_text


def expected_of(path: Path, chain: str, keys: KeyRing) -> list[Expected]:
    """What a file of kept checkpoints knows of a chain.

    Raises JournalError when the file cannot be read, was altered, names another room's key, or
    holds nothing of this chain.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise JournalError(f"The checkpoints in {path} cannot be read: {error}.") from error
    publics = {in_use.public for _, in_use in keys.rows}
    found = list(_known(path, lines, chain, publics))
    if not found:
        raise JournalError(f"There is no checkpoint of {chain} in {path}. Is it another room's?")
    return found


def _known(path: Path, lines: list[str], chain: str, publics: set[str]) -> Iterator[Expected]:
    for number, line in enumerate(lines, 1):
        where = f"Line {number} of {path}"
        try:
            copy = json.loads(line)
            body, public = json.dumps(copy["checkpoint"]).encode(), str(copy["public"])
            checkpoint: Checkpoint = CODEC.decode(Checkpoint.__name__, body)
        except (ValueError, KeyError, TypeError, JournalError) as error:
            raise JournalError(f"{where} is no checkpoint ({error}).") from error
        if checkpoint.chain != chain:
            continue
        if not is_signed(public, checkpoint.signature, statement(Checkpoint.__name__, body)):
            raise JournalError(f"{where} is not what was signed: this file was altered.")
        if public not in publics:
            raise JournalError(
                f"{where} is signed with key {checkpoint.key}, which this record does not name:"
                " either belongs to another room, or the record's keys were exchanged."
            )
        source = f"the checkpoint of {utc_text(checkpoint.at.utc_ns)} ({path}, line {number})"
        yield Expected(size=checkpoint.size, root=checkpoint.root, source=source)
