"""A service that is killed in the middle of writing loses nothing that was called durable."""

import random
import subprocess
import sys

import pytest

from service.core.events import Tick
from service.journal.codec import CODEC
from service.journal.sealing import Unsealer
from service.journal.store import open_writing
from service.journal.verify import verify_chain

pytestmark = pytest.mark.real_time

ROUNDS = 4
WRITE_FOR_EVER = """
import sys
from itertools import count
from service.journal.store import open_writing
from tests.journal.material import tick, frame, writing

with writing(open_writing(sys.argv[1])) as (writer, news):
    for n in count(int(sys.argv[2])):
        ticket = writer.append("room", [tick(n)])
        writer.append("room", [frame(n, 42.0)])
        if n % 3 == 0:
            assert news.wait_durable(ticket)
            print(n, flush=True)
"""


@pytest.mark.requirement("RC-104")
def test_kill_9_loses_no_acknowledged_row_and_breaks_no_chain(url: str) -> None:
    chance = random.Random(2)
    next_n = 0
    for _ in range(ROUNDS):
        acknowledged = killed_while_writing(url, next_n, after=chance.randrange(1, 60))
        store = open_writing(url)
        unsealer = Unsealer(CODEC)
        items = [unsealer.open(row) for row in store.rows("room")]
        ticks = [item.at.mono_ns // 10**9 for item in items if isinstance(item, Tick)]
        assert verify_chain(store, "room").findings == []
        assert ticks == list(range(len(ticks))), "nothing is lost, doubled or out of order"
        assert ticks[-1] >= acknowledged
        store.close()
        next_n = len(ticks)


def killed_while_writing(url: str, first: int, *, after: int) -> int:
    """The last number that was acknowledged before the writing process was killed."""
    command = [sys.executable, "-c", WRITE_FOR_EVER, url, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    whole = [int(line) for line in lines if line.endswith("\n")]
    assert len(whole) >= after, "the writing process ended by itself"
    return whole[-1]
