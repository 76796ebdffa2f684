"""`hipec sessions verify`: what can be said of a record, in sentences for the person who asks."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from service.core.model import Mode
from service.core.session import step
from service.journal.comparing import Difference, compare
from service.journal.core_version import core_version
from service.journal.room_facts import KeyRing, room_facts
from service.journal.rows import ROOM, JournalError, Row
from service.journal.store import Store, open_reading
from service.journal.verify import Expected, Verdict, verify_chain, verify_rows
from service.records.export import origin_of
from service.records.exported import Exported
from service.records.kept import expected_of
from service.records.times import utc_text

SHOWN = 20
"""So many findings and differences are shown, the rest is counted."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found. `wrong` makes the record not as it was written; `unlike` may be right."""

    verdict: Verdict
    mode: str = "unknown"
    core: str = ""
    wrong: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    replayed: int = 0


def verify(
    url: str, session: str, *, file: Path | None = None, checkpoint: Path | None = None
) -> tuple[int, str]:
    """Exit code (0: as it was written) and text; `file` verifies an export and needs no journal."""
    try:
        if file is not None:
            report = _verified_file(file, session, checkpoint)
        else:
            with closing(open_reading(url)) as store:
                report = _verified_store(store, session, checkpoint)
    except JournalError as error:
        return 1, str(error)
    return int(bool(report.wrong)), "\n".join(_told(report))


def _verified_store(store: Store, session: str, checkpoint: Path | None) -> Report:
    facts = room_facts(store)
    expected = expected_of(checkpoint, session, facts.keys) if checkpoint else []
    there = session in store.chains()
    if not there and not expected and session not in facts.sealed:
        raise JournalError(
            f"There is no session {session} in {store.where}."
            " `hipec sessions list` names those that there are."
        )
    verdict = verify_chain(store, session, expected)
    report = Report(verdict=verdict, wrong=list(verdict.findings))
    if session != ROOM:
        report.wrong += verify_chain(store, ROOM).findings
        if there:
            _replay(report, lambda: store.rows(session))
    return report


def _verified_file(file: Path, session: str, checkpoint: Path | None) -> Report:
    exported = Exported(file)
    keys = exported.keys()
    expected: list[Expected] = expected_of(checkpoint, session, keys) if checkpoint else []
    verdict = verify_rows(exported.rows(), session, keys=keys, expected=expected)
    exported.compare(verdict)
    report = Report(verdict=verdict, wrong=[*verdict.findings, *exported.findings])
    _replay(report, exported.rows)
    return report


def _replay(report: Report, rows: Callable[[], Iterable[Row]]) -> None:
    """Every event through the core; an effect that it would not have is wrong, or only unlike."""
    try:
        origin = origin_of(rows())
        report.mode, report.core = origin.mode.value, origin.core
        for difference in compare(_counted(report, rows()), step):
            side = report.wrong if difference.same_core else report.unlike
            side.append(_difference(difference))
    except JournalError as error:
        side = report.wrong if report.core == core_version() else report.unlike
        side.append(f"The replay ended early: {error}")


def _counted(report: Report, rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        report.replayed += 1
        yield row


def _difference(found: Difference) -> str:
    where = f"Row {found.n} ({found.event}, {utc_text(found.at.utc_ns)})"
    then, now = found.recorded or "nothing", found.replayed or "nothing"
    return f"{where}: recorded is {_short(then)}; the core gives {_short(now)}."


def _short(text: str, length: int = 400) -> str:
    return text if len(text) <= length else f"{text[:length]} …"


def _told(report: Report) -> Iterator[str]:
    verdict = report.verdict
    state = "closed" if verdict.closed else "not closed"
    yield f"{verdict.chain}: {verdict.size} rows, {state}, mode {report.mode}"
    if report.mode in (Mode.TEST, Mode.DEMO):
        yield "SIMULATED DATA: no patient was treated in this session."
    if verdict.signed:
        keys = ", ".join(sorted(verdict.keys))
        yield f"Signed: rows 0 to {verdict.signed - 1}, with key {keys}"
        yield "  (compare the key with the one that the room wrote down: `hipec keys show`)"
    if verdict.signed + 1 < verdict.size:
        first = verdict.signed + 1 if verdict.signed else 0
        yield f"Not signed: rows {first} to {verdict.size - 1}"
    if report.replayed:
        whose = "this very core" if report.core == core_version() else f"core {report.core or '-'}"
        yield f"Replayed: {report.replayed} rows of {whose} with core {core_version()}"
    if report.unlike:
        yield "Another version of the core decides otherwise in:"
        yield from _listed(report.unlike)
    if report.wrong:
        yield "NOT AS IT WAS WRITTEN:"
        yield from _listed(report.wrong)
    else:
        yield "GOOD: nothing was altered."


def _listed(lines: list[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN} more"


def keys_text(ring: KeyRing, where: str) -> str:
    """The keys of a room, to be written down and compared."""
    if not ring.rows:
        return f"The record in {where} names no key yet; the first start of the service makes one."
    return "\n".join(
        f"{in_use.key}  since {utc_text(in_use.at.utc_ns)}  public {in_use.public}"
        + (f"  after {in_use.replaces}" if in_use.replaces else "")
        + (f", replaced: {in_use.reason}" if in_use.reason else "")
        for _, in_use in ring.rows
    )
