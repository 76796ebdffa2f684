"""The writer never makes the room wait, and writes every row once and in order."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from service.core.effects import HeaterOff, HeaterRun
from service.journal.codec import CODEC
from service.journal.rows import Lost, Opening, Unencodable
from service.journal.sealing import Sealer, Unsealer
from service.journal.store import Store, open_writing
from service.journal.verify import verify_chain
from service.journal.writer import Writer
from tests.journal.material import LONG_S, SESSION, at, frame, holding, tick, toy_state, writing


def read(store: Store, chain: str) -> list[object]:
    unsealer = Unsealer(CODEC)
    return [unsealer.open(row) for row in store.rows(chain)]


def test_a_pass_is_recorded_as_its_event_and_then_its_effects(store: Store) -> None:
    off = HeaterOff(order=1, reason="too hot")
    with writing(store) as (writer, news):
        assert news.wait_durable(writer.append("room", [frame(1, 46.1, None), off]))
    opening, _layout, *items = read(store, "room")
    assert opening == Opening(chain="room")
    assert items == [frame(1, 46.1, None), off]
    assert [row.at for row in store.rows("room")] == [at(1)] * 4


def test_a_session_begins_with_the_head_of_the_room_and_the_state_before_it(store: Store) -> None:
    with writing(store) as (writer, _):
        writer.append("room", [tick(1)])
        writer.append(SESSION, [toy_state(), tick(2)])
        writer.append("room", [tick(3)])
    head = list(store.rows("room"))[1]
    opened = Opening(chain=SESSION, room_n=1, room_hash=head.digest.hex())
    assert read(store, SESSION) == [opened, toy_state(), tick(2)]
    assert store.chains() == [SESSION, "room"]


def test_a_ticket_that_is_durable_makes_all_earlier_ones_durable(store: Store) -> None:
    with writing(store) as (writer, news):
        tickets = [writer.append("room", [tick(n)]) for n in range(500)]
        assert tickets == sorted(tickets)
        assert news.wait_durable(tickets[-1])
        assert writer.waiting == 0
        assert len(list(store.rows("room"))) == 501


def test_what_waits_is_written_as_one_transaction(store: Store, url: str) -> None:
    with writing(store) as (writer, news):
        with holding(url):
            for n in range(200):
                last = writer.append("room", [tick(n)])
            assert news.wait_troubles(1)
        assert news.wait_durable(last)
    assert news.acknowledged == [last]


@pytest.mark.requirement("RC-133")
def test_rows_wait_in_memory_while_the_database_is_locked(store: Store, url: str) -> None:
    with writing(store) as (writer, news):
        assert news.wait_durable(writer.append("room", [tick(0)]))
        with holding(url):
            writer.append("room", [tick(1)])
            assert news.wait_troubles(1)
            assert re.search(r"cannot be written \(.*lock.*\)", str(news.troubles[0]))
            last = writer.append("room", [tick(2)])
            assert news.durable < last
        assert news.wait_durable(last)
        assert news.wait_troubles(2)
        assert news.troubles[-1] is None, "the journal says that it can write again"
    assert read(store, "room")[1:] == [tick(0), tick(1), tick(2)]
    assert verify_chain(store, "room").findings == []


def test_a_commit_that_was_reported_as_failed_is_not_written_twice(
    store: Store, path: Path
) -> None:
    # The writer keeps what failed; here the rows are on the disk all the same.
    with writing(store) as (writer, news):
        assert news.wait_durable(writer.append("room", [tick(0)]))
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        last = writer.append("room", [tick(1)])
        assert news.wait_troubles(1)
        (row,) = Sealer(CODEC, "room", store.head("room")).seal(tick(1), at(1))
        insert = "INSERT INTO rows VALUES ('room', ?, ?, ?, ?, ?, ?, ?)"
        columns = (row.n, row.kind, row.schema, row.at.mono_ns, row.at.utc_ns, row.body, row.digest)
        blocker.execute(insert, columns)
        blocker.execute("COMMIT")
        blocker.close()
        assert news.wait_durable(last)
    assert read(store, "room")[1:] == [tick(0), tick(1)]


def test_a_journal_that_is_continued_stays_one_chain(store: Store, url: str) -> None:
    with writing(store) as (writer, _):
        writer.append(SESSION, [frame(1, 42.0)])
    store.close()
    continued = open_writing(url)
    with writing(continued) as (writer, _):
        writer.append(SESSION, [frame(2, 42.5)])
        writer.append(SESSION, [frame(3, 1.0, 2.0, device="circuit")])
        writer.append(SESSION, [frame(4, 43.0)])
    kinds = [row.kind for row in continued.rows(SESSION)]
    frames = [item for item in read(continued, SESSION) if isinstance(item, type(frame(0)))]
    assert kinds.count("Layout") == 2, "a device's layout is written when it first appears"
    assert [f.readings[0].value for f in frames] == [42.0, 42.5, 1.0, 43.0]
    assert verify_chain(continued, SESSION).findings == []
    continued.close()


def test_full_memory_drops_measurements_only_and_the_record_says_how_many(
    store: Store, url: str
) -> None:
    off = HeaterOff(order=1, reason="too hot")
    with writing(store, capacity_passes=3) as (writer, _), holding(url):
        for n in range(8):
            writer.append("room", [tick(n)])
        writer.append("room", [tick(8), off])
    kept = [tick(0), tick(1), tick(2), Lost(passes=5), tick(8), off]
    assert read(store, "room")[1:] == kept


@pytest.mark.parametrize(
    "broken",
    [
        HeaterRun(order=1, bath_c=float("nan"), lease_s=3),
        frame(1, float("inf"), device="new"),
        frame(1, 1.0, device="\ud800"),
        "not an effect",
    ],
    ids=["effect", "frame", "text", "stranger"],
)
def test_what_cannot_be_encoded_is_kept_as_text_and_stops_nothing(
    store: Store, broken: object
) -> None:
    with writing(store) as (writer, news):
        writer.append("room", [tick(1), broken])
        assert news.wait_durable(writer.append("room", [frame(2, 1.0, device="new")]))
        assert news.troubles == []
    items = read(store, "room")
    assert isinstance(items[2], Unencodable)
    assert items[2].text == ascii(broken)
    assert items[-1] == frame(2, 1.0, device="new")
    assert verify_chain(store, "room").findings == []


def test_a_pass_without_anything_in_it_changes_nothing(store: Store) -> None:
    with writing(store) as (writer, news):
        last = writer.append("room", [tick(1)])
        assert writer.append("room", []) == last
        assert news.wait_durable(last)
    assert read(store, "room")[1:] == [tick(1)]


def test_a_listener_that_is_gone_does_not_stop_the_record(store: Store) -> None:
    def closed(_: object) -> None:
        raise RuntimeError("Event loop is closed")

    writer = Writer(store, on_durable=closed, on_trouble=closed)
    writer.append("room", [tick(1)])
    writer.append("room", [tick(2)])
    assert writer.close(LONG_S) == 0
    assert read(store, "room")[1:] == [tick(1), tick(2)]


def test_closing_gives_up_in_time_and_says_how_much_is_not_written(store: Store, url: str) -> None:
    with writing(store) as (writer, news), holding(url):
        writer.append("room", [tick(1)])
        assert news.wait_troubles(1)
        assert writer.close(timeout_s=0.01) == 1


FULL_DISK = """
import resource, signal, sys
from service.journal.store import open_writing
from service.journal.writer import Writer
from tests.journal.material import frame, writing

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_writing(sys.argv[1])
with writing(store) as (writer, news):
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    for n in range(3_000):
        last = writer.append("room", [frame(n, 42.0 + n / 1000)])
    assert news.wait_troubles(1)
    print(news.troubles[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert news.wait_durable(last)
store.close()
"""


def test_a_full_disk_loses_nothing(path: Path, url: str) -> None:
    assert not path.exists()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, url], capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout
    store = open_writing(url)
    values = [f.readings[0].value for f in read(store, "room") if isinstance(f, type(frame(0)))]
    assert values == [42.0 + n / 1000 for n in range(3_000)]
    assert verify_chain(store, "room").findings == []
    store.close()
