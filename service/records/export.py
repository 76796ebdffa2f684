"""`hipec sessions export`: a whole session as files for other programs, and how to prove it."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from service.core.events import Frame
from service.core.model import Channel, Mode
from service.core.state import State
from service.journal.codec import CODEC, STATE
from service.journal.core_version import core_version
from service.journal.elsewhere import line_of as copy_of
from service.journal.room_facts import KeyRing, room_facts
from service.journal.rows import FRAME, ROOM, Checkpoint, Entry, JournalError, KeyInUse, Row
from service.journal.sealing import Unsealer
from service.journal.store import Store, open_reading
from service.journal.verify import Verdict, verify_rows
from service.records import stand_alone
from service.records.lines import line_of
from service.records.read_me import read_me
from service.records.samples import ParquetSamples, csv_lines, samples_of

EVENTS, CSV, PARQUET = "events.jsonl", "samples.csv", "samples.parquet"
KEYS, COPIES, MANIFEST = "keys.json", "checkpoints.jsonl", "manifest.json"
README, VERIFIER = "README.md", "verify.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a session's first state says of it: its mode and what its channels are."""

    mode: Mode
    channels: Mapping[str, Channel]
    version: str
    core: str

    @property
    def prefix(self) -> str:
        """What every file's name begins with: nothing, or that the session was simulated."""
        return "" if self.mode is Mode.REAL else stand_alone.SIMULATED


def origin_of(rows: Iterable[Entry]) -> Origin:
    """Read from the first state of a session's record; JournalError when there is none."""
    for row in rows:
        if row.kind == STATE:
            state: State = CODEC.decode(row.kind, row.body, row.schema)
            channels = {channel.id: channel for channel in state.room.channels}
            return Origin(
                mode=state.mode, channels=channels, version=state.version, core=state.core
            )
        if row.kind in CODEC.events:
            break
    raise JournalError("This record does not begin with a state, so it is not a session's.")


def export_text(url: str, session: str, out: Path) -> tuple[int, str]:
    """Exit code and text: where a session of the journal was exported to, or why it was not."""
    try:
        with closing(open_reading(url)) as store:
            if session == ROOM or session not in store.chains():
                raise JournalError(
                    f"There is no session {session} in {store.where}."
                    " `hipec sessions list` names those that there are."
                )
            folder = export(store, session, out)
    except JournalError as error:
        return 1, str(error)
    return 0, f"{folder}\nProve it: hipec sessions verify {session} --file {folder}"


def export(store: Store, session: str, out: Path) -> Path:
    """Writes the session into a new folder in `out`; the folder. JournalError when it cannot be."""
    origin = origin_of(store.spoken(session))
    folder = out / f"{origin.prefix}{session}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        said = f"{folder} exists already and was left as it is. Choose another --out."
        raise JournalError(said) from None
    except OSError as error:
        raise JournalError(f"{folder} cannot be made: {error.strerror}.") from error
    try:
        _write(store, session, origin, folder)
    except (OSError, JournalError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise JournalError(f"The session cannot be exported to {folder}: {error}") from error
    return folder


def _write(store: Store, session: str, origin: Origin, folder: Path) -> None:
    keys = room_facts(store).keys
    rows = _Tables(folder, session, origin, keys)
    verdict = verify_rows(rows.written(store.rows(session)), session, keys=keys)
    if rows.error is not None:
        raise rows.error
    texts = {
        COPIES: "".join(rows.copies),
        KEYS: keys_text(keys),
        README: read_me(session, origin.mode, program_text(origin)),
        VERIFIER: Path(stand_alone.__file__).read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        (folder / f"{origin.prefix}{name}").write_text(text, encoding="utf-8")
    text = manifest_text(folder, origin, verdict)
    (folder / f"{origin.prefix}{MANIFEST}").write_text(text, encoding="utf-8")


class _Tables:
    """Writes every row as it passes by: as a line, and as samples where it is a frame."""

    def __init__(self, folder: Path, session: str, origin: Origin, keys: KeyRing) -> None:
        self.copies: list[str] = []
        self.error: JournalError | None = None
        self._folder = folder
        self._session = session
        self._origin = origin
        self._publics = {in_use.key: in_use.public for _, in_use in keys.rows}

    def written(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, each written before the next is asked for; `error` is why they ended."""
        try:
            yield from self._written(rows)
        except JournalError as error:
            self.error = error
            raise

    def _written(self, rows: Iterable[Row]) -> Iterator[Row]:
        folder, origin = self._folder, self._origin
        columns = ParquetSamples(
            folder / f"{origin.prefix}{PARQUET}", session=self._session, mode=origin.mode
        )
        with (
            (folder / f"{origin.prefix}{EVENTS}").open("w", encoding="utf-8", newline="") as lines,
            (folder / f"{origin.prefix}{CSV}").open("w", encoding="utf-8", newline="") as separated,
        ):
            separated.write(next(csv_lines([])))
            unsealer = Unsealer(CODEC)
            for row in rows:
                frame = frame_of(unsealer, row)
                lines.write(line_of(row, origin.mode, frame) + "\n")
                if frame is not None:
                    samples = list(samples_of(frame, origin.channels, origin.mode))
                    separated.writelines(islice(csv_lines(samples), 1, None))
                    columns.add(samples)
                if row.kind == Checkpoint.__name__:
                    self._copy(row)
                yield row
        columns.close()

    def _copy(self, row: Row) -> None:
        checkpoint: Checkpoint = CODEC.decode(row.kind, row.body, row.schema)
        self.copies.append(copy_of(row.body, self._publics.get(checkpoint.key, "")))


def frame_of(unsealer: Unsealer, row: Row) -> Frame | None:
    """The frame of a packed row; None for other rows, of which layouts are remembered."""
    if row.kind not in (FRAME, "Layout"):
        return None
    item = unsealer.open(row)
    return item if isinstance(item, Frame) else None


def keys_text(keys: KeyRing) -> str:
    """Every key that the room used, with the number of its row in the room's chain."""
    used = [{"room_row": n, "in_use": _plain(in_use)} for n, in_use in keys.rows]
    return stand_alone.pretty({"keys": used})


def manifest_text(folder: Path, origin: Origin, verdict: Verdict) -> str:
    """What the export consists of: every file's SHA-256, and what its rows amount to."""
    files = sorted(path for path in folder.iterdir() if not path.name.endswith(MANIFEST))
    return stand_alone.pretty(
        {
            "format": stand_alone.FORMAT,
            "session": verdict.chain,
            "mode": origin.mode.value,
            "simulated": origin.mode is not Mode.REAL,
            "rows": verdict.size,
            "closed": verdict.closed,
            "root": verdict.root,
            "head": verdict.head,
            "files": {path.name: stand_alone.summary(path) for path in files},
        }
    )


def program_text(origin: Origin) -> str:
    """Which program recorded the session, and which one exported it."""
    now = f"{version('hipec-monitor')} (core {core_version()})"
    return f"recorded by {origin.version or '-'} (core {origin.core or '-'}), exported by {now}"


def _plain(in_use: KeyInUse) -> object:
    return json.loads(CODEC.encode(in_use))
