"""Copies of the checkpoints elsewhere: written in order, never waited for, their loss recorded."""

import json
import threading
from pathlib import Path

import pytest

from service.journal.elsewhere import Elsewhere
from service.journal.keys import is_signed, statement
from service.journal.rows import CopyElsewhere
from service.journal.signing import KeySigner
from service.journal.store import Store
from tests.journal.material import LONG_S, SESSION
from tests.journal.signed import key_of, record_signed


class Said:
    """What the copying told, and a test that waits for it."""

    def __init__(self) -> None:
        self.items: list[CopyElsewhere] = []
        self._changed = threading.Condition()

    def __call__(self, item: CopyElsewhere) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.items) >= count, LONG_S)


@pytest.mark.requirement("RC-136")
def test_every_checkpoint_is_copied_with_the_key_that_proves_it(
    store: Store, tmp_path: Path
) -> None:
    key, said = key_of(store, tmp_path / "key"), Said()
    elsewhere = Elsewhere(tmp_path / "copies", said)
    record_signed(store, KeySigner(key, elsewhere.keep))
    assert elsewhere.close(LONG_S) == 0
    lines = [json.loads(line) for line in (tmp_path / "copies").read_text().splitlines()]
    assert len(lines) == 4, "a minute's and the last, of the room and of the session"
    for line in lines:
        body = json.dumps(line["checkpoint"]).encode()
        said_then = statement("Checkpoint", body)
        assert is_signed(line["public"], line["checkpoint"]["signature"], said_then)
    assert said.items == []


@pytest.mark.requirement("RC-136")
def test_a_place_that_cannot_be_written_is_told_once_and_gets_everything_later(
    store: Store, tmp_path: Path
) -> None:
    key, said = key_of(store, tmp_path / "key"), Said()
    stick = tmp_path / "stick"
    elsewhere = Elsewhere(stick / "copies", said, retry_s=0.01)
    record_signed(store, KeySigner(key, elsewhere.keep))
    assert said.wait(1)
    stick.mkdir()
    assert said.wait(2)
    assert elsewhere.close(LONG_S) == 0
    lost, back = said.items
    assert (lost.works, lost.reason) == (False, "No such file or directory")
    assert back.works
    lines = (stick / "copies").read_text().splitlines()
    chains = [json.loads(line)["checkpoint"]["chain"] for line in lines]
    assert chains == ["room", SESSION, SESSION, "room"]


def test_a_place_that_hangs_holds_nothing_back(store: Store, tmp_path: Path) -> None:
    key, said = key_of(store, tmp_path / "key"), Said()
    hanging = threading.Event()

    class Hangs(Elsewhere):
        def _append(self, line: str) -> None:
            hanging.wait(LONG_S)

    elsewhere = Hangs(tmp_path / "copies", said, hangs_s=1.0)
    record_signed(store, KeySigner(key, elsewhere.keep))
    assert said.wait(1)
    assert said.items[0].reason == "it does not answer"
    hanging.set()
    assert elsewhere.close(LONG_S) == 0
