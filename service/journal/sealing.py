"""From the core's objects to chained rows, and back."""

from collections.abc import Iterable
from typing import Any

from service.core.events import Frame, Tick
from service.core.model import Instant
from service.journal import frames_1
from service.journal.chain import GENESIS, digest
from service.journal.codec import SCHEMA, Codec
from service.journal.frames import layout_id_of, layout_of, pack_frame, unpack_frame
from service.journal.merkle import Tree
from service.journal.rows import FRAME, TICK, Entry, Head, JournalError, Layout, Row, Unencodable
from service.journal.signing import Signer

FRAME_READERS = {1: frames_1.unpack_frame, 2: unpack_frame}
"""How the packed frames of every schema version are read."""

_TREE_BEHIND_MAX = 2_000


class Sealer:
    """Makes the next rows of one chain; each row's digest covers the one before it."""

    def __init__(
        self,
        codec: Codec,
        chain: str,
        head: Head | None = None,
        layouts: Iterable[Layout] = (),
        tree: Tree | None = None,
        *,
        signed: bool = False,
    ) -> None:
        """`head` is where the chain ends, `layouts` and `tree` what all of its rows amount to.

        `signed` says that its newest row is a checkpoint.
        """
        self.head = head
        self._tree = tree or Tree()
        self._digests: list[bytes] = []
        self._unsigned = not signed
        self._codec = codec
        self._chain = chain
        self._layouts: dict[str, list[Layout]] = {}
        for layout in layouts:
            self._layouts.setdefault(layout.device, []).append(layout)

    @property
    def tree(self) -> Tree:
        """The tree over all rows of the chain: brought up to date when it is asked for, and now
        and then, so that no single row waits for it."""
        for entry in self._digests:
            self._tree.add(entry)
        self._digests.clear()
        return self._tree

    def seal(self, item: object, at: Instant) -> list[Row]:
        """The row of one object, after the layout's row if a frame brings a new one.

        `at` stamps what has no time of its own. What cannot be encoded becomes a row that says so.
        """
        own = getattr(item, "at", at)
        try:
            bodies = self._bodies(item)
        except Exception as error:  # whatever is wrong with one item, the record goes on
            told = Unencodable(kind=type(item).__name__, error=str(error), text=ascii(item))
            bodies = [(told, self._codec.encode(told))]
        return [self._row(of, own, body) for of, body in bodies]

    def sign(self, signer: Signer, at: Instant) -> list[Row]:
        """The checkpoint over all rows up to now; none where the newest row is one already."""
        if self.head is None or not self._unsigned:
            return []
        signed = self.seal(signer.sign(self._chain, self.head, self.tree, at), at)
        self._unsigned = False
        return signed

    def _bodies(self, item: object) -> list[tuple[object, bytes]]:
        if isinstance(item, Tick):
            return [(item, b"")]
        if isinstance(item, Frame):
            return self._frame_bodies(item)
        return [(item, self._codec.encode(item))]

    def _frame_bodies(self, frame: Frame) -> list[tuple[object, bytes]]:
        device, channels = layout_of(frame)
        known = self._layouts.setdefault(device, [])
        for layout in known:
            if layout.channels == channels:
                return [(frame, pack_frame(frame, layout.id))]
        number = sum(map(len, self._layouts.values()))
        layout = Layout(id=number, device=device, channels=channels)
        bodies = [(layout, self._codec.encode(layout)), (frame, pack_frame(frame, layout.id))]
        known.append(layout)
        return bodies

    def _row(self, item: object, at: Instant, body: bytes) -> Row:
        kind = self._codec.kind(item)
        n = 0 if self.head is None else self.head.n + 1
        previous = GENESIS if self.head is None else self.head.digest
        sealed = digest(
            previous, chain=self._chain, n=n, kind=kind, schema=SCHEMA, at=at, body=body
        )
        self.head = Head(n=n, digest=sealed)
        self._digests.append(sealed)
        if len(self._digests) >= _TREE_BEHIND_MAX:
            self._tree = self.tree
        self._unsigned = True
        return Row(
            chain=self._chain, n=n, kind=kind, schema=SCHEMA, at=at, body=body, digest=sealed
        )


class Unsealer:
    """Reads one chain's rows in their order back into objects."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._layouts: dict[int, Layout] = {}

    def open(self, row: Entry) -> Any:
        """The object of a row; JournalError when it is damaged, unknown or of another version."""
        try:
            return self._open(row)
        except JournalError as error:
            raise JournalError(f"Row {row.n} of {row.chain}: {error}") from error

    def _open(self, row: Entry) -> Any:
        if row.kind == TICK and row.schema in FRAME_READERS:
            return Tick(at=row.at)
        if row.kind == FRAME and row.schema in FRAME_READERS:
            layout = self._layouts.get(layout_id_of(row.body))
            if layout is None:
                raise JournalError("A packed frame names a layout that no earlier row holds.")
            return FRAME_READERS[row.schema](row.body, layout, row.at)
        item = self._codec.decode(row.kind, row.body, row.schema)
        if isinstance(item, Layout):
            self._layouts[item.id] = item
        return item
