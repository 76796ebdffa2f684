"""A session as other programs get it: every row, every measurement, marked where simulated."""

import csv
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from service.core.model import Mode, Unit
from service.journal.codec import CODEC
from service.journal.rows import JournalError, Row
from service.journal.sealing import Unsealer
from service.journal.store import open_reading, open_writing
from service.records.export import export_text, frame_of
from service.records.lines import line_of, row_of
from service.records.read_me import read_me
from tests.journal.material import SESSION, at, falsify, frame, record_toy_session
from tests.records.conftest import Made


def rows_of(made: Made) -> list[Row]:
    with closing(open_reading(made.url)) as store:
        return list(store.rows(SESSION))


def test_every_row_comes_back_from_its_line_byte_for_byte(made: Made) -> None:
    lines = made.path("events.jsonl").read_text().splitlines()
    assert [row_of(line) for line in lines] == rows_of(made)


def test_a_measurement_stands_beside_its_packed_bytes(made: Made) -> None:
    lines = [json.loads(line) for line in made.path("events.jsonl").read_text().splitlines()]
    packed = next(line for line in lines if line["kind"] == "Frame")
    assert packed["utc"] == "2026-01-01T10:00:02.000000000Z"
    assert packed["frame"]["device"] == "sites"
    assert packed["frame"]["readings"] == [
        {"channel": "sites_0", "value": 42.5, "unit": "degC", "validity": "valid", "reason": ""},
        {
            "channel": "sites_1",
            "value": None,
            "unit": "degC",
            "validity": "invalid",
            "reason": "open probe",
        },
    ]


@pytest.mark.parametrize(
    "change",
    [{"body": b"\x00\xff"}, {"body": b'{"b":1,"a":1e5}'}, {"body": b'{ "a":1}'}, {"body": b"NaN"}],
)
def test_a_body_that_is_no_canonical_json_is_carried_all_the_same(
    made: Made, change: dict[str, bytes]
) -> None:
    row = replace(rows_of(made)[0], **change)  # type: ignore[arg-type]
    assert row_of(line_of(row, Mode.REAL, None)) == row


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"n":1}', '{"n":"1"}', "null"])
def test_a_line_that_is_no_row_is_refused(line: str) -> None:
    with pytest.raises(JournalError, match="it is not a row of a record"):
        row_of(line)


def test_samples_are_the_same_in_both_tables(made: Made) -> None:
    with made.path("samples.csv").open(encoding="utf-8", newline="") as file:
        separated = list(csv.DictReader(file))
    columns = pq.read_table(made.path("samples.parquet")).to_pylist()
    assert len(separated) == len(columns) == 4
    for line, sample in zip(separated, columns, strict=True):
        assert line["value"] == ("" if sample["value"] is None else repr(sample["value"]))
        for name in ("device", "channel", "role", "site", "unit", "validity", "mode", "reason"):
            assert line[name] == sample[name]
        assert int(line["mono_ns"]) == sample["mono_ns"]
        assert sample["utc"].isoformat() == line["utc"][:19] + "+00:00"
    assert {(line["channel"], line["unit"]) for line in separated} == {
        ("sites_0", Unit.DEG_C),
        ("sites_1", Unit.DEG_C),
    }


@pytest.mark.requirement("RC-139")
def test_a_simulated_session_is_marked_in_every_file(made: Made) -> None:
    assert made.folder.name == f"SIMULATED-{SESSION}"
    assert len(list(made.folder.iterdir())) == 8
    assert all(path.name.startswith("SIMULATED-") for path in made.folder.iterdir())
    assert "SIMULATED DATA (mode demo)" in made.path("README.md").read_text()
    assert json.loads(made.path("manifest.json").read_text())["simulated"] is True
    assert pq.read_schema(made.path("samples.parquet")).metadata[b"simulated"] == b"True"
    for line in made.path("events.jsonl").read_text().splitlines():
        assert json.loads(line)["mode"] == "demo"
    for line in made.path("samples.csv").read_text().splitlines()[1:]:
        assert ",demo," in line


def test_a_real_session_is_not_called_simulated() -> None:
    text = read_me(SESSION, Mode.REAL, "recorded by 1.0")
    assert "SIMULATED" not in text
    assert "`verify.py`" in text


def test_an_export_is_never_written_over(made: Made) -> None:
    code, text = export_text(made.url, SESSION, made.folder.parent)
    assert (code, text) == (
        1,
        f"{made.folder} exists already and was left as it is. Choose another --out.",
    )


@pytest.mark.parametrize("session", ["nobody", "room"])
def test_an_unknown_session_is_told_in_a_sentence(made: Made, tmp_path: Path, session: str) -> None:
    code, text = export_text(made.url, session, tmp_path)
    assert code == 1
    assert text.startswith(f"There is no session {session} in ")


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(made: Made, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, text = export_text(made.url, SESSION, tmp_path / "file" / "out")
    assert code == 1
    assert "cannot be made" in text


def test_a_damaged_record_is_told_in_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    store = open_writing(url)
    record_toy_session(store, [frame(1, 42.0)])
    store.close()
    falsify(tmp_path / "hipec.db", "UPDATE rows SET body = x'00' WHERE kind = 'Frame'")
    code, text = export_text(url, SESSION, tmp_path / "out")
    assert code == 1
    assert "is damaged" in text
    assert list((tmp_path / "out").iterdir()) == []


def test_frames_are_read_with_the_layouts_before_them(made: Made) -> None:
    unsealer = Unsealer(CODEC)
    frames = [frame_of(unsealer, row) for row in rows_of(made)]
    assert [each.at for each in frames if each] == [at(2), at(4)]
