"""The journal's tables as this program reads and writes them; `migrations` makes them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from service.core.model import Instant
from service.journal.rows import Chunk, JournalError, Row

LAYOUT = 3
"""The layout of the tables that this program writes, as `meta` tells it to other versions.

1: rows. 2: chunks beside them. 3: accounts.
"""

CHUNKED = 2

metadata = MetaData()
meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
rows = Table(
    "rows",
    metadata,
    Column("chain", String, primary_key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("at_mono_ns", BigInteger, nullable=False),
    Column("at_utc_ns", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
chunks = Table(
    "chunks",
    metadata,
    Column("chain", String, primary_key=True),
    Column("last_n", BigInteger, primary_key=True, autoincrement=False),
    Column("first_n", BigInteger, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("state_n", BigInteger),
    Column("base_n", BigInteger),
    Column("closes", Boolean, nullable=False),
    Column("sum", LargeBinary, nullable=False),
    Column("spoken", LargeBinary, nullable=False),
    Column("measured", LargeBinary, nullable=False),
)

EMPTY_CHUNKS = f"CREATE TEMP TABLE chunks ({', '.join(chunks.c.keys())})"
"""Makes SQLite read a journal without chunks as one that has none yet."""

_ROW_TYPES = [str, int, str, int, int, int, bytes, bytes]


def insert_rows(mark: str) -> str:
    """How a driver inserts `columns_of_row`, that marks a value's place so."""
    names = rows.c.keys()
    return f"INSERT INTO rows ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def columns_of_row(row: Row) -> tuple[object, ...]:
    """A row as it is inserted."""
    at = row.at
    return (
        *(row.chain, row.n, row.kind, row.schema),
        *(at.mono_ns, at.utc_ns, row.body, row.digest),
    )


def row_of(found) -> Row:
    """A row as it was selected; JournalError where a column holds another type."""
    if [type(value) for value in found] != _ROW_TYPES:
        raise JournalError(
            f"Row {found.n} of {found.chain}: a column does not hold what the journal wrote."
        )
    chain, n, kind, schema, mono_ns, utc_ns, body, digest = found
    at = Instant(mono_ns=mono_ns, utc_ns=utc_ns)
    return Row(chain=chain, n=n, kind=kind, schema=schema, at=at, body=body, digest=digest)


def columns_of_chunk(chunk: Chunk) -> dict[str, object]:
    """A chunk as it is inserted."""
    return {
        "chain": chunk.chain,
        "last_n": chunk.last_n,
        "first_n": chunk.first_n,
        "layout": chunk.layout,
        "hash": chunk.digest,
        "state_n": chunk.state_n,
        "base_n": chunk.base_n,
        "closes": chunk.closes,
        "sum": chunk.sum,
        "spoken": chunk.spoken,
        "measured": chunk.measured,
    }


def chunk_of(found) -> Chunk:
    """A chunk as it was selected; what is wrong with it shows when it is unpacked."""
    return Chunk(
        chain=found.chain,
        first_n=found.first_n,
        last_n=found.last_n,
        layout=found.layout,
        digest=found.hash,
        state_n=found.state_n,
        base_n=found.base_n,
        closes=found.closes,
        spoken=found.spoken,
        measured=found.measured,
        sum=found.sum,
    )
