"""What `hipec sessions list` and `hipec sessions show ID` say, read from the journal."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from service.core.effects import (
    AlarmChanged,
    CommandChanged,
    DoseRecorded,
    PhaseChanged,
    Recorded,
    SessionClosed,
    SessionOpened,
)
from service.core.events import Command
from service.core.model import Instant, Mode
from service.core.state import State
from service.journal.codec import CODEC
from service.journal.rows import ROOM, Access, Configured, JournalError, Lost, Opening
from service.journal.sealing import Unsealer
from service.journal.store import Store, open_reading
from service.records import delays
from service.records.dose_text import dose_lines

Item = TypeVar("Item")

SAYS_CLOCK = ("clock", "clocks")
"""The kinds of `Recorded` lines that are about clocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """Everything that a session's record says in words (no frames, no ticks)."""

    id: str
    items: Sequence[Any]

    def all(self, cls: type[Item]) -> list[Item]:
        return [item for item in self.items if isinstance(item, cls)]

    def first(self, cls: type[Item]) -> Item | None:
        return next(iter(self.all(cls)), None)

    @property
    def mode(self) -> str:
        state = self.first(State)
        return "unknown" if state is None else state.mode.value


def session_lines(url: str) -> tuple[int, str, list[tuple[str, ...]]]:
    """Exit code, what is to be said of no lines, and a line per session, the oldest first.

    A line is the session, protocol, opened and closed (UTC), mode and phases.
    """
    try:
        with closing(open_reading(url)) as store:
            lines = [_line(_read(store, chain)) for chain in store.chains() if chain != ROOM]
    except JournalError as error:
        return 1, str(error), []
    return 0, "" if lines else f"There is no session yet in {store.where}.", lines


def list_sessions(url: str) -> tuple[int, str]:
    """Exit code and text: one line per session of the journal, the oldest first."""
    code, text, lines = session_lines(url)
    head = ("SESSION", "PROTOCOL", "OPENED (UTC)", "CLOSED (UTC)", "MODE", "PHASES")
    return code, text or _table([head, *lines])


def show_session(url: str, session: str) -> tuple[int, str]:
    """Exit code and text: one session's phases, clocks, alarms, commands, facts and deviations."""
    try:
        with closing(open_reading(url)) as store:
            if session not in store.chains():
                raise JournalError(
                    f"There is no session {session} in {store.where}."
                    " `hipec sessions list` names those that there are."
                )
            if session == ROOM:
                return 0, "\n".join(_room(store))
            record = _read(store, session)
            return 0, "\n".join(_shown(record, _configured(store, record)))
    except JournalError as error:
        return 1, str(error)


def _read(store: Store, session: str) -> _Record:
    unsealer = Unsealer(CODEC)
    return _Record(id=session, items=[unsealer.open(entry) for entry in store.spoken(session)])


def _line(record: _Record) -> tuple[str, ...]:
    opened, closed = record.first(SessionOpened), record.first(SessionClosed)
    return (
        record.id,
        opened.protocol if opened else "-",
        _date(opened.at) if opened else "-",
        _date(closed.at) if closed else "open",
        record.mode,
        " ".join(change.to_phase for change in record.all(PhaseChanged)) or "-",
    )


def _shown(record: _Record, configured: list[str]) -> Iterator[str]:
    yield from _headline(record)
    facts = record.all(Recorded)
    sections = {
        "Phases": [_phase(change) for change in record.all(PhaseChanged)],
        "Clocks": [_fact(fact) for fact in facts if fact.kind in SAYS_CLOCK],
        "Alarms": _alarms(record),
        "Delays of alarms": delays.lines(record.items),
        "Commands": _commands(record),
        "Thermal dose": [line for told in record.all(DoseRecorded) for line in dose_lines(told)],
        "Facts and deviations": [_fact(fact) for fact in facts if fact.kind not in SAYS_CLOCK],
        "Configuration": configured,
        "Not recorded": [f"{lost.passes} frames and ticks" for lost in record.all(Lost)],
    }
    for title, lines in sections.items():
        if lines or title != "Not recorded":
            yield from ("", title, *(f"  {line}" for line in lines or ["none recorded"]))


def _room(store: Store) -> Iterator[str]:
    """The room's own chain: changes of its configuration, and who came in or changed who may."""
    rows = list(_room_rows(store))
    yield "The room's own record (`hipec sessions verify room` proves it)"
    changes = [line for _, row in rows if isinstance(row, Configured) for line in _changes(row)]
    yield from ("", "Configuration", *(f"  {line}" for line in changes or ["none recorded"]))
    access = [_access(row) for _, row in rows if isinstance(row, Access)]
    yield from ("", "People and stations", *(f"  {line}" for line in access or ["none recorded"]))


def _room_rows(store: Store) -> Iterator[tuple[int, Access | Configured]]:
    for row in store.spoken(ROOM, [Access.__name__, Configured.__name__]):
        yield row.n, CODEC.decode(row.kind, row.body, row.schema)


def _configured(store: Store, record: _Record) -> list[str]:
    """What the site file had last changed when this session was opened."""
    opening = record.first(Opening)
    if opening is None or opening.room_n is None or ROOM not in store.chains():
        return []
    rows = [
        row for n, row in _room_rows(store) if isinstance(row, Configured) and n <= opening.room_n
    ]
    return list(_changes(rows[-1])) if rows else []


def _changes(row: Configured) -> Iterator[str]:
    if not row.changes:
        yield f"{_date(row.at)}  site file read for the first time, {len(row.settings)} settings"
    for change in row.changes:
        before, after = change.before or "not set", change.after or "not set"
        yield f"{_date(row.at)}  {change.key}: {before} → {after}"


def _access(row: Access) -> str:
    told = (
        *(row.text, f"by {row.by}" if row.by else ""),
        *(f"at {row.station}" if row.station else "", f"from {row.address}" if row.address else ""),
    )
    about = f"{_date(row.at)}  {row.what.replace('_', ' ')}: {row.who}"
    return ", ".join([about, *(one for one in told if one)])


def _headline(record: _Record) -> Iterator[str]:
    opened, closed = record.first(SessionOpened), record.first(SessionClosed)
    yield f"Session {record.id}, mode {record.mode}"
    if record.mode in (Mode.TEST, Mode.DEMO):
        yield "SIMULATED DATA: no patient was treated in this session."
    if opened:
        yield f"Protocol {opened.protocol}, opened {_date(opened.at)} UTC by {opened.by}"
    yield f"Closed {_date(closed.at)} UTC by {closed.by}" if closed else "Not closed"
    command = next((c for c in record.all(Command) if c.protocol is not None), None)
    if command and command.protocol and command.protocol.envelope.name:
        envelope = command.protocol.envelope
        yield f"Widened envelope {envelope.name}, approved by {envelope.approved_by}"


def _phase(change: PhaseChanged) -> str:
    return f"{_time(change.at)}  {change.to_phase} (after {change.from_phase}), by {change.by}"


def _alarms(record: _Record) -> list[str]:
    occurrences: dict[str, list[AlarmChanged]] = {}
    for change in record.all(AlarmChanged):
        occurrences.setdefault(change.occurrence, []).append(change)
    return [_alarm(changes) for changes in occurrences.values()]


def _alarm(changes: list[AlarmChanged]) -> str:
    onset = changes[0]
    parts = [f"{_time(onset.at)}  {onset.priority} {onset.id} {onset.source}: {onset.text}"]
    if onset.sampled is not None:
        parts.append(f"raised {onset.at.seconds_since(onset.sampled):.2f} s after its reading")
    for change in changes[1:]:
        by = f" by {change.by}" if change.by else ""
        parts.append(f"{change.event} after {change.at.seconds_since(onset.at):.1f} s{by}")
    if all(change.event != "cleared" for change in changes):
        parts.append("not cleared")
    return "; ".join(parts)


def _commands(record: _Record) -> list[str]:
    changes: dict[str, list[CommandChanged]] = {}
    for change in record.all(CommandChanged):
        changes.setdefault(change.key, []).append(change)
    return [_command(command, changes.get(command.key, [])) for command in record.all(Command)]


def _command(command: Command, changes: list[CommandChanged]) -> str:
    who = command.by.user or command.by.station or command.by.role
    arguments = ", ".join(f"{name} {value}" for name, value in command.args.items())
    parts = [f"{_time(command.at)}  {command.name} {arguments}".rstrip() + f", by {who}"]
    if command.second:
        parts.append(f"second name {command.second}")
    if command.reason:
        parts.append(f"reason: {command.reason}")
    if changes:
        last = changes[-1]
        parts.append(f"{last.state} after {last.at.seconds_since(command.at):.2f} s")
        parts += _grant(last)
    return "; ".join(parts)


def _grant(change: CommandChanged) -> Iterator[str]:
    if change.requested is not None and change.granted != change.requested:
        yield f"asked {change.requested:g}, granted {_number(change.granted)}"
    if change.limited_by:
        yield f"limited by {change.limited_by}"
    if change.reason:
        yield change.reason


def _fact(fact: Recorded) -> str:
    by = f", by {fact.by}" if fact.by else ""
    data = ", ".join(f"{name} {value}" for name, value in fact.data.items())
    return f"{_time(fact.at)}  {fact.kind}: {fact.text}{by}" + (f" ({data})" if data else "")


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"


def _date(at: Instant) -> str:
    return _utc(at).strftime("%Y-%m-%d %H:%M:%S")


def _time(at: Instant) -> str:
    return _utc(at).strftime("%H:%M:%S")


def _utc(at: Instant) -> datetime:
    return datetime.fromtimestamp(at.utc_ns // 10**9, UTC)


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
