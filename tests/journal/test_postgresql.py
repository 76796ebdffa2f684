"""On PostgreSQL the journal keeps the same promises, and says what the server must do for them."""

import psycopg
import pytest
from sqlalchemy import make_url

from service.journal.rows import JournalError
from service.journal.store import Store, open_reading, open_writing
from service.journal.verify import verify_chain
from tests.journal.material import SESSION, frame, record_toy_session, tick, writing
from tests.postgresql import Server

pytestmark = pytest.mark.integration


@pytest.fixture
def url(server: Server) -> str:
    return server.new_database()


def name(url: str) -> str:
    return str(make_url(url).database)


@pytest.mark.requirement("RC-130")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE rows SET body = '' WHERE n = 1",
        "DELETE FROM rows WHERE n = 1",
        "TRUNCATE rows",
        "INSERT INTO rows SELECT chain, n + 100, kind, schema, 0, 0, body, hash FROM rows",
        f"INSERT INTO rows VALUES ('{SESSION}', 1, 'Tick', 2, 0, 0, '', '')",
        "UPDATE chunks SET spoken = ''",
        "DELETE FROM chunks",
        "TRUNCATE chunks",
        "INSERT INTO chunks SELECT 'room', 5, 0, layout, hash, 1, 1, false, sum, spoken, measured"
        " FROM chunks",
    ],
)
def test_the_server_itself_refuses_to_change_the_record(
    store: Store, server: Server, url: str, sql: str
) -> None:
    record_toy_session(store, [frame(n, 42.0) for n in range(4)])
    assert store.compact(SESSION) > 0
    before = list(store.rows(SESSION))
    with server.connect(name(url)) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(sql)
    assert list(store.rows(SESSION)) == before


def test_a_connection_that_is_cut_is_made_anew_and_nothing_is_lost(
    store: Store, server: Server, url: str
) -> None:
    with writing(store) as (writer, news):
        assert news.wait_durable(writer.append(SESSION, [tick(0)]))
        with server.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (name(url),),
            )
        for n in range(1, 20):
            last = writer.append(SESSION, [tick(n)])
        assert news.wait_troubles(2)
        assert news.wait_durable(last)
        assert news.troubles[-1] is None
    assert len(list(store.rows(SESSION))) == 21
    assert verify_chain(store, SESSION).findings == []


@pytest.mark.requirement("RC-134")
def test_a_second_service_on_the_same_database_is_refused(store: Store, url: str) -> None:
    with pytest.raises(JournalError, match="Another service already writes the journal"):
        open_writing(url)
    store.close()
    open_writing(url).close()


@pytest.mark.requirement("RC-134")
def test_the_database_of_another_application_is_refused_and_not_touched(
    server: Server, url: str
) -> None:
    with server.connect(name(url)) as connection:
        connection.execute("CREATE TABLE rows (chain text)")
    for opening in (open_writing, open_reading):
        with pytest.raises(JournalError, match="belongs to another application"):
            opening(url)
    with server.connect(name(url)) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        assert tables.fetchall() == [("rows",)]


@pytest.mark.requirement("RC-134")
def test_a_journal_of_a_newer_version_is_refused(server: Server, url: str) -> None:
    open_writing(url).close()
    with server.connect(name(url)) as connection:
        connection.execute("UPDATE meta SET value = '4' WHERE name = 'schema'")
    for opening in (open_writing, open_reading):
        with pytest.raises(JournalError, match=r"newer version \(layout 4, this program knows 3\)"):
            opening(url)


def test_a_server_that_cannot_be_reached_is_named_without_its_password() -> None:
    wrong = "postgresql+psycopg://room:secret@/hipec?host=/nowhere"
    with pytest.raises(JournalError, match="Check `database` in") as refused:
        open_writing(wrong)
    assert "secret" not in str(refused.value)


def test_a_server_that_does_not_sync_is_refused(server: Server, url: str) -> None:
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(JournalError, match="runs with full_page_writes = off"):
                open_until_refused(url)
        finally:
            connection.execute("ALTER SYSTEM RESET full_page_writes")
            connection.execute("SELECT pg_reload_conf()")


def open_until_refused(url: str) -> None:
    """A server takes a moment to hear of a new setting."""
    for _ in range(1_000):
        open_writing(url).close()
