"""`docs/adding-a-device.md` is right: whoever does what it says has a device that works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.real_time]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding-a-device.md"
PACKAGES = ("drivers", "simulator", "service", "protocols", "web", "tests")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEW_FILE = re.compile(r"# (\S+\.(?:py|toml))\n")


def write_files(project: Path, blocks: list[tuple[str, str]]) -> None:
    """Blocks that begin with the same file's name follow one another in it."""
    for language, text in blocks:
        named = NEW_FILE.match(text)
        if language in ("python", "toml") and named:
            with (project / named[1]).open("a", encoding="utf-8") as file:
                file.write(text[named.end() :])


def add_rows(project: Path, blocks: list[tuple[str, str]]) -> None:
    """Lines marked + go behind the line above them, which the file has exactly once."""
    for language, text in blocks:
        if language != "diff":
            continue
        name, *rows = text.splitlines()
        lines = (project / name).read_text(encoding="utf-8").splitlines()
        at = 0
        for row in rows:
            if row.startswith("+"):
                lines.insert(at, row[1:])
                at += 1
            else:
                assert lines.count(row[1:]) == 1, f"{name} has no single line {row[1:]!r}"
                at = lines.index(row[1:]) + 1
        (project / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project in which the page was followed to its end."""
    copy = tmp_path_factory.mktemp("project")
    for package in PACKAGES:
        unneeded = shutil.ignore_patterns("__pycache__", "e2e")
        shutil.copytree(ROOT / package, copy / package, ignore=unneeded)
    shutil.copy(ROOT / "pyproject.toml", copy)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    write_files(copy, blocks)
    add_rows(copy, blocks)
    return copy


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_tests_pass_together_with_those_that_find_every_driver(project: Path) -> None:
    done = python(
        project,
        *("-m", "pytest", "-q", "-k", "lakeshore_218", "-p", "no:cacheprovider"),
        *("tests/drivers", "tests/contract"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 20


def test_the_new_driver_is_listed_with_what_it_measures(project: Path) -> None:
    listed = python(project, "-m", "service.cli", "devices", "list")
    assert listed.returncode == 0, listed.stderr
    told = listed.stdout.partition("lakeshore_218")[2]
    assert "sensor 1 (degC, 0.001)" in told
    assert "9600 7O1" in told


def test_the_files_are_as_tidy_and_as_well_typed_as_the_others(project: Path) -> None:
    files = ("drivers/lakeshore_218.py", "simulator/devices/lakeshore_218.py")
    tests = "tests/drivers/test_lakeshore_218.py"
    for check in (
        ("ruff", "check", *files, tests),
        ("ruff", "format", "--check", *files, tests),
        ("mypy", "drivers/lakeshore_218.py"),
    ):
        done = python(project, "-m", *check)
        assert done.returncode == 0, done.stdout + done.stderr
