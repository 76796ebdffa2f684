"""How a journal's tables are read, in one transaction so that all of it is of one moment."""

from collections.abc import Callable, Collection, Iterator

from sqlalchemy import Connection, func, select

from service.journal import chunks, measured
from service.journal.chain import GENESIS
from service.journal.chunks import CLOSING
from service.journal.codec import STATE
from service.journal.measured import Measurements, Wanted
from service.journal.rows import PACKED, Chunk, Damaged, Entry, Head, JournalError, Row
from service.journal.tables import chunk_of, row_of
from service.journal.tables import chunks as _chunks
from service.journal.tables import rows as _rows

_NEWEST_CHUNK = select(_chunks).order_by(_chunks.c.last_n.desc()).limit(1)


def head(connection: Connection, chain: str) -> Head | None:
    """Where a chain ends, None when there is no such chain."""
    query = select(_rows.c.n, _rows.c.hash).where(_rows.c.chain == chain)
    found = connection.execute(query.order_by(_rows.c.n.desc()).limit(1)).first()
    return chunked_head(connection, chain) if found is None else Head(n=found[0], digest=found[1])


def chunked_head(connection: Connection, chain: str) -> Head | None:
    """Where the chunks of a chain end, None when it has none."""
    last = connection.execute(_NEWEST_CHUNK.where(_chunks.c.chain == chain)).first()
    return None if last is None else Head(n=last.last_n, digest=last.hash)


def pieces(connection: Connection, chain: str, after: int = -1) -> Iterator[list[Row] | Damaged]:
    """The rows of a chain in their order: each chunk's together, then later ones one by one.

    Begins with the chunk that holds row `after` + 1. In the place of what is not as the journal
    wrote it stands an error that says so.
    """
    previous: bytes | None = None
    for chunk in _chunks_of(connection, chain, after):
        if previous is None:
            previous = _digest_at(connection, chain, chunk.first_n - 1)
        try:
            yield chunks.unpack(chunk, previous, whole_states(connection, chain))
        except JournalError as error:
            yield Damaged(
                str(error), first_n=chunk.first_n, last_n=chunk.last_n, digest=chunk.digest
            )
        previous = chunk.digest
    query = select(_rows).where(_rows.c.chain == chain, _rows.c.n > after).order_by(_rows.c.n)
    for found in connection.execute(query):
        try:
            yield [row_of(found)]
        except JournalError as error:
            yield Damaged(str(error), first_n=found.n, last_n=found.n, digest=found.hash)


def spoken(
    connection: Connection, chain: str, kinds: Collection[str] | None, after: int
) -> Iterator[Entry]:
    """What a chain says in words (no frames, no ticks), of these kinds or all of them."""

    def wanted(kind: str) -> bool:
        return kind not in PACKED and (kinds is None or kind in kinds)

    states = whole_states(connection, chain)
    for chunk in _chunks_of(connection, chain, after):
        found = chunks.entries(chunk, states, wanted)
        yield from (entry for entry in found if entry.n > after)
    words = _rows.c.kind.not_in(PACKED) if kinds is None else _rows.c.kind.in_(kinds)
    query = select(_rows).where(_rows.c.chain == chain, _rows.c.n > after, words)
    for later in connection.execute(query.order_by(_rows.c.n)):
        yield row_of(later)


def measurements(connection: Connection, chain: str, wanted: Wanted) -> Iterator[Measurements]:
    """The measurements of a chain as columns, a chunk at a time and then what came later."""
    for chunk in _chunks_of(connection, chain, -1):
        yield chunks.measurements(chunk, wanted)
    query = select(_rows).where(_rows.c.chain == chain, _rows.c.kind.in_(PACKED))
    later = [row_of(found) for found in connection.execute(query.order_by(_rows.c.n))]
    yield measured.unpack(measured.pack(later), wanted)


def whole_states(connection: Connection, chain: str) -> Callable[[int], bytes]:
    """Gives the body of a state from which others of the chain are told as differences."""
    known: dict[int, bytes] = {}

    def body(n: int) -> bytes:
        if n not in known:
            known[n] = _whole_state(connection, chain, n)
        return known[n]

    return body


def base(connection: Connection, chain: str) -> tuple[int, bytes] | None:
    """The state of a chain's chunks from which the next are to be told as differences."""
    query = _NEWEST_CHUNK.where(_chunks.c.chain == chain, _chunks.c.state_n.is_not(None))
    found = connection.execute(query).first()
    if found is None:
        return None
    n = found.state_n if found.base_n is None else found.base_n
    return n, _whole_state(connection, chain, n)


def newest_state(connection: Connection, chain: str) -> int | None:
    """The number of the newest state in a chain."""
    later = select(func.max(_rows.c.n)).where(_rows.c.chain == chain, _rows.c.kind == STATE)
    chunked = select(func.max(_chunks.c.state_n)).where(
        _chunks.c.chain == chain, _chunks.c.state_n.is_not(None)
    )
    n: int | None = connection.scalar(later)
    return connection.scalar(chunked) if n is None else n


def chains(connection: Connection) -> list[str]:
    """The names of all chains, sorted."""
    return sorted({*_names(connection, _rows.c.chain), *_names(connection, _chunks.c.chain)})


def closed(connection: Connection) -> set[str]:
    """The chains whose closing is in the record."""
    chunked = select(_chunks.c.chain).where(_chunks.c.closes)
    later = select(_rows.c.chain).where(_rows.c.kind == CLOSING)
    return {*connection.scalars(chunked), *connection.scalars(later)}


def _names(connection: Connection, column) -> Iterator[str]:
    """The different values of an index's first column, without reading all of it."""
    name = ""
    while name := connection.scalar(select(func.min(column)).where(column > name)) or "":
        yield name


def _chunks_of(connection: Connection, chain: str, after: int) -> Iterator[Chunk]:
    query = select(_chunks).where(_chunks.c.chain == chain, _chunks.c.last_n > after)
    for found in connection.execute(query.order_by(_chunks.c.last_n)):
        yield chunk_of(found)


def _digest_at(connection: Connection, chain: str, n: int) -> bytes:
    query = select(_chunks.c.hash).where(_chunks.c.chain == chain, _chunks.c.last_n == n)
    return connection.scalar(query) or GENESIS


def _whole_state(connection: Connection, chain: str, n: int) -> bytes:
    def no_other(_: int) -> bytes:
        raise JournalError(
            f"The state in row {n} of {chain} is told from another that is not whole."
        )

    query = select(_chunks).where(_chunks.c.chain == chain, _chunks.c.last_n >= n)
    found = connection.execute(query.order_by(_chunks.c.last_n).limit(1)).first()
    if found is not None:
        for entry in chunks.entries(chunk_of(found), no_other, lambda kind: kind == STATE):
            if entry.n == n:
                return entry.body
    raise JournalError(f"Row {n} of {chain} does not hold the state that later ones refer to.")
