"""The verifier that goes with every export: one file, and it finds every altered byte."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.records import stand_alone
from tests.records.conftest import Made

OWN = Path(stand_alone.__file__)


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    """An export that a test may alter."""
    return Path(shutil.copytree(made.folder, tmp_path / "copy"))


def findings(folder: Path, kept: Path | None = None) -> list[str]:
    return stand_alone.verified(folder, kept)[1]


def altered(data: bytes, every: int) -> Iterator[tuple[str, bytes]]:
    """The bytes with one of them changed, taken out or put in, at every so-manieth place."""
    for place in range(0, len(data), every):
        changed = bytes([data[place] ^ 1])
        yield f"byte {place} changed", data[:place] + changed + data[place + 1 :]
        yield f"byte {place} taken out", data[:place] + data[place + 1 :]
        yield f"byte {place} put in", data[:place] + b"0" + data[place:]


def unseen(folder: Path, every: int) -> list[str]:
    """The alterations of the export's files that the verifier does not find."""
    found = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        # Of the two long texts every byte is only hashed: some of them stand for all.
        step = every if path.suffix not in (".md", ".py") else max(every, 97)
        for what, other in altered(data, step):
            path.write_bytes(other)
            if not findings(folder):
                found.append(f"{path.name}: {what}")
        path.write_bytes(data)
    assert findings(folder) == []
    return found


@pytest.mark.requirement("RC-139")
def test_it_needs_the_standard_library_and_cryptography_only() -> None:
    names = set()
    for node in ast.walk(ast.parse(OWN.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
    assert names <= {*sys.stdlib_module_names, "cryptography"}


@pytest.mark.requirement("RC-139")
def test_the_copy_in_an_export_verifies_it_without_the_project(made: Made, tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(made.path("verify.py")), "--checkpoint", str(made.kept)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIMULATED DATA: no patient was treated." in done.stdout
    assert done.stdout.endswith("GOOD: nothing was altered\n")


@pytest.mark.requirement("RC-139")
def test_its_answer_is_also_its_exit_code(copy: Path) -> None:
    events = copy / "SIMULATED-events.jsonl"
    events.write_text(events.read_text().replace('"hot"', '"cold"').replace("heats", "cools"))
    command = [sys.executable, str(OWN), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "row 6 of 20260101T100000Z (Recorded, 2026-01-01T10:00:02" in done.stdout
    assert done.stdout.endswith("NOT AS IT WAS WRITTEN\n")


@pytest.mark.requirement("RC-139")
def test_single_bytes_changed_taken_out_or_put_in_are_found(copy: Path) -> None:
    assert unseen(copy, every=101) == []


def with_manifest_made_anew(folder: Path) -> None:
    """The manifest as somebody would leave it who knows that there is one."""
    path = folder / "SIMULATED-manifest.json"
    manifest = stand_alone.json.loads(path.read_text())
    for name in manifest["files"]:
        if (folder / name).exists():
            manifest["files"][name] = stand_alone.summary(folder / name)
    path.write_text(stand_alone.pretty(manifest))


@pytest.mark.requirement("RC-139")
def test_rows_taken_out_put_in_exchanged_or_altered_are_found_beside_a_new_manifest(
    copy: Path,
) -> None:
    events = copy / "SIMULATED-events.jsonl"
    text = events.read_text()
    lines = text.splitlines(keepends=True)
    for place in range(len(lines)):
        swapped = list(lines)
        other = (place + 1) % len(lines)
        swapped[place], swapped[other] = swapped[other], swapped[place]
        wordy = [*lines[:place], lines[place].replace(':"', ':" ', 1), *lines[place + 1 :]]
        for altered_lines in (
            [*lines[:place], *lines[place + 1 :]],
            [*lines[:place], lines[place], *lines[place:]],
            swapped,
            wordy,
        ):
            events.write_text("".join(altered_lines))
            with_manifest_made_anew(copy)
            assert findings(copy)
    events.write_text(text)
    with_manifest_made_anew(copy)
    assert findings(copy) == []


@pytest.mark.requirement("RC-136", "RC-139")
def test_an_export_that_was_cut_is_found_by_the_checkpoints_kept_elsewhere(
    made: Made, copy: Path
) -> None:
    events = copy / "SIMULATED-events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    for length in range(2, len(lines) - 1):
        events.write_text("".join(lines[:length]))
        with_manifest_made_anew(copy)
        assert any("the last ones were cut off" in text for text in findings(copy, made.kept))


@pytest.mark.parametrize("name", ["manifest.json", "keys.json", "events.jsonl", "samples.csv"])
def test_a_missing_file_is_found(copy: Path, name: str) -> None:
    (copy / f"SIMULATED-{name}").unlink()
    assert findings(copy)


def test_a_file_that_was_put_in_is_found(copy: Path) -> None:
    (copy / "more.csv").write_text("utc,value\n")
    assert findings(copy) == ["the file more.csv is not in the manifest"]
