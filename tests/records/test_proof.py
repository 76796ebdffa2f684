"""`hipec sessions verify` as a person meets it: what was altered, where, what it cannot tell."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from service.core.effects import Recorded
from service.journal.keys import load_key, make_key
from service.journal.rows import Unsigned
from service.journal.signing import KeySigner
from service.journal.store import open_writing
from service.records import key_commands
from service.records.export import export
from service.records.proof import verify
from tests.core.bench import Bench
from tests.journal.material import SESSION, at
from tests.journal.signed import key_of, write
from tests.journal.treatments import record
from tests.records.conftest import Made


@pytest.fixture(scope="module")
def bench() -> Bench:
    """An open session with a note and a pulled cable."""
    bench = Bench()
    bench.command("open_session")
    bench.command("note", text="43 °C")
    bench.run(1)
    bench.pull("sites")
    bench.run(1)
    return bench


@pytest.fixture(scope="module")
def journal(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path]:
    """The URL of its journal, its id, and its export."""
    folder = tmp_path_factory.mktemp("proof")
    url = f"sqlite:///{folder / 'hipec.db'}"
    store = open_writing(url)
    session, _ = record(store, bench, KeySigner(key_of(store, folder / "hipec.db.key")))
    exported = export(store, session, folder)
    store.close()
    return url, session, exported


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    """An export of a closed session that a test may alter."""
    return Path(shutil.copytree(made.folder, tmp_path / "copy"))


def findings(folder: Path, kept: Path | None = None) -> str:
    """What is wrong with the export of the toy session."""
    code, text = verify("", SESSION, file=folder, checkpoint=kept)
    _, _, wrong = text.partition("NOT AS IT WAS WRITTEN:")
    assert bool(wrong) == bool(code)
    return wrong


@pytest.mark.requirement("RC-138")
def test_a_record_as_it_was_written_is_called_good(journal: tuple[str, str, Path]) -> None:
    url, session, exported = journal
    for code, text in (verify(url, session), verify("", session, file=exported)):
        assert code == 0
        assert text.splitlines()[0].startswith(f"{session}: ")
        assert "not closed, mode test" in text
        assert "SIMULATED DATA" in text
        assert "of this very core" in text
        assert text.endswith("GOOD: nothing was altered.")
    assert verify(url, "room")[0] == 0


@pytest.mark.requirement("RC-138")
def test_an_effect_that_the_same_core_would_not_have_is_wrong(bench: Bench, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    store = open_writing(url)
    signer = KeySigner(key_of(store, tmp_path / "key"))
    session, _ = record(store, bench, signer)
    write(store, signer, [Recorded(at=at(9), kind="note", text="never happened")], chain=session)
    store.close()
    code, text = verify(url, session)
    assert code == 1
    assert "never happened" in text
    assert "the core gives nothing" in text


@pytest.mark.requirement("RC-138")
def test_a_kept_state_that_the_same_core_would_not_have_is_wrong(
    bench: Bench, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    store = open_writing(url)
    signer = KeySigner(key_of(store, tmp_path / "key"))
    session, state = record(store, bench, signer)
    write(store, signer, [state, replace(state, treat_s=state.treat_s + 1.0)], chain=session)
    store.close()
    code, text = verify(url, session)
    assert code == 1
    _, _, wrong = text.partition("NOT AS IT WAS WRITTEN:")
    (told,) = wrong.strip().splitlines()
    assert f'recorded is State {{"treat_s": {state.treat_s + 1.0}}}' in told


@pytest.mark.requirement("RC-138")
def test_what_another_core_decides_otherwise_is_listed_and_no_error(made: Made) -> None:
    code, text = verify(made.url, SESSION)
    assert code == 0
    assert "Another version of the core decides otherwise in:" in text
    assert "recorded is HeaterRun" in text
    assert text.endswith("GOOD: nothing was altered.")


@pytest.mark.requirement("RC-139")
def test_an_altered_row_is_named_with_its_number_time_and_kind(copy: Path) -> None:
    events = copy / "SIMULATED-events.jsonl"
    events.write_text(events.read_text().replace('"heats"', '"cools"', 1))
    told = findings(copy)
    assert f"Row 6 of {SESSION} (Recorded, 2026-01-01 10:00:02 UTC): it, or the row" in told
    assert "The file SIMULATED-events.jsonl is not as it was written." in told


@pytest.mark.requirement("RC-139")
@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("events.jsonl", '"value":42.5', '"value":41.5', "does not say what its row holds"),
        ("events.jsonl", "10:00:02.0", "10:00:03.0", "does not say what its row holds"),
        ("samples.csv", "42.5", "41.5", "Line 2 of"),
        ("keys.json", '"by_new": "', '"by_new": "00', "did not sign its own introduction"),
        ("manifest.json", '"rows": 16', '"rows": 15', "what it says of rows"),
        ("checkpoints.jsonl", '"checkpoint"', '"check"', "is not as it was written"),
    ],
)
def test_what_stands_beside_the_rows_is_compared_with_them(
    copy: Path, name: str, old: str, new: str, says: str
) -> None:
    path = copy / f"SIMULATED-{name}"
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())
    assert says in findings(copy)


def test_a_table_with_other_samples_is_found(copy: Path, journal: tuple[str, str, Path]) -> None:
    other = journal[2] / "SIMULATED-samples.parquet"
    shutil.copy(other, copy / "SIMULATED-samples.parquet")
    assert "does not hold the samples of the rows" in findings(copy)
    (copy / "SIMULATED-samples.parquet").write_bytes(b"PAR1")
    assert "The samples cannot be read" in findings(copy)


@pytest.mark.requirement("RC-136")
def test_a_file_that_was_cut_off_in_a_line_is_told_with_its_line(copy: Path) -> None:
    events = copy / "SIMULATED-events.jsonl"
    events.write_bytes(events.read_bytes()[:-40])
    assert "the file was cut off here, in the middle of a line" in findings(copy)


@pytest.mark.requirement("RC-136")
def test_checkpoints_that_were_kept_elsewhere_are_believed_more_than_the_record(
    made: Made, copy: Path
) -> None:
    assert findings(copy, made.kept) == ""
    events = copy / "SIMULATED-events.jsonl"
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:9]))
    told = findings(copy, made.kept)
    assert "rows 9 to 14 were cut off" in told
    assert "the checkpoint of 2026-01-01T10:00:09" in told


def test_a_file_of_checkpoints_that_proves_nothing_is_told(made: Made, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    line = json.loads(made.kept.read_text().splitlines()[1])
    stranger = make_key(tmp_path / "stranger")
    for text, says in (
        ("", "There is no checkpoint of"),
        ("rubbish\n", "Line 1 of"),
        (json.dumps({**line, "public": stranger.public}), "is not what was signed"),
    ):
        kept.write_text(text)
        code, told = verify(made.url, SESSION, checkpoint=kept)
        assert code == 1
        assert says in told
    code, told = verify(made.url, SESSION, checkpoint=tmp_path / "nowhere")
    assert (code, "cannot be read" in told) == (1, True)


@pytest.mark.parametrize("file", ["", "more", "more/SIMULATED-events.jsonl"])
def test_a_place_without_an_export_is_told_in_a_sentence(tmp_path: Path, file: str) -> None:
    code, text = verify("", SESSION, file=tmp_path / file)
    assert code == 1
    assert text.startswith("There is no exported session at ")


def test_an_unknown_session_and_a_missing_journal_are_told_in_sentences(
    made: Made, tmp_path: Path
) -> None:
    code, text = verify(made.url, "nobody")
    assert (code, text.startswith("There is no session nobody in ")) == (1, True)
    code, text = verify(f"sqlite:///{tmp_path / 'none.db'}", SESSION)
    assert (code, text.startswith("There is no journal at ")) == (1, True)


def test_a_record_that_was_not_signed_says_from_where_on(bench: Bench, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    store = open_writing(url)
    session, _ = record(store, bench)
    write(store, None, [Unsigned(at=at(9), reason="its key is gone")], chain=session)
    store.close()
    code, text = verify(url, session)
    assert code == 1
    assert "Not signed: rows 0 to " in text
    assert "could not be signed then: its key is gone" in text


def test_a_key_is_rotated_and_replaced_by_commands(bench: Bench, tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path / 'hipec.db'}", tmp_path / "key"
    store = open_writing(url)
    first = key_of(store, path)
    session, _ = record(store, bench, KeySigner(first))
    assert key_commands.rotate(url, path)[1].startswith("Another service ")
    store.close()

    code, text = key_commands.rotate(url, path)
    second = load_key(path)
    assert (code, first.id in text, second.id in text) == (0, True, True)
    code, text = key_commands.replace(url, path, "disk died")
    assert (code, "is the room's key and was left as it is" in text) == (1, True)
    path.unlink()
    assert key_commands.rotate(url, path)[1].startswith(f"The signing key {path} is missing")
    code, text = key_commands.replace(url, path, "disk died")
    assert (code, second.id in text) == (0, True)

    code, text = key_commands.show(url)
    assert [line[:16] for line in text.splitlines()] == [first.id, second.id, load_key(path).id]
    assert text.endswith("replaced: disk died")
    for chain in ("room", session):
        assert verify(url, chain)[0] == 0


def test_a_journal_without_a_key_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    open_writing(url).close()
    code, text = key_commands.show(url)
    assert (code, "names no key yet" in text) == (0, True)
    assert key_commands.replace(url, tmp_path / "key", "lost")[0] == 1
    assert key_commands.show(f"sqlite:///{tmp_path / 'none.db'}")[0] == 1
