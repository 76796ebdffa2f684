"""Each risk control is removed once, in a copy of the tree; a test must turn red each time.

    .venv/bin/python -m pytest tests/campaign/test_mutations.py

The tests are run as they are first: one that is red anyway proves nothing.
`CONTROLS` in the environment names the controls to remove (RC-001,RC-002); all by default.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.mutations import ROOT, Mutation, mutations, removed

FOLDERS = ("docs", "drivers", "protocols", "service", "simulator", "tests", "web")
FILES = ("package.json", "pyproject.toml", "README.md", "requirements.lock")
LINKED = (".venv", "node_modules")
WANTED = frozenset(filter(None, os.environ.get("CONTROLS", "").split(",")))
CHOSEN = [m for m in mutations() if not WANTED or m.control in WANTED]
GREEN, RED = 0, 1
"""What pytest and node return when all tests passed and when one failed; all else is no verdict."""

LONGEST_S = 600
FIRST_RED = re.compile(r"^(?:FAILED|ERROR) \S+?::(\w+)|^not ok \d+ - (.+)$", re.M)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree."""
    copy = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    for name in LINKED:
        (copy / name).symlink_to(ROOT / name)
    return copy


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines that are printed when all is done."""
    lines: list[str] = []
    yield lines
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n\n| control | removed | first test that turned red |\n|---|---|---|")
        print("\n".join(lines))


def run(tree: Path, mutation: Mutation) -> subprocess.CompletedProcess[str]:
    """Run the tests that show this control, the tree's own packages first on the path.

    Of a whole file those that name the control; a single test that is named runs as it is.
    """
    command = ["node", "--test", "--test-reporter=tap"]
    if not mutation.tests[0].endswith(".mjs"):
        quiet = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider")
        command = [sys.executable, "-m", "pytest", *quiet]
        if "::" not in mutation.tests[0]:
            command.append(f"--control={mutation.control}")
    return subprocess.run(
        [*command, *mutation.tests],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@pytest.mark.parametrize("mutation", CHOSEN, ids=lambda mutation: mutation.control)
def test_a_removed_control_turns_a_test_red(
    mutation: Mutation, tree: Path, table: list[str]
) -> None:
    before = run(tree, mutation)
    assert before.returncode == GREEN, f"red before the removal:\n{before.stdout[-2000:]}"
    with removed(mutation, tree):
        result = run(tree, mutation)
    first = FIRST_RED.search(result.stdout)
    named = next(filter(None, first.groups()), "") if first else "none"
    table.append(f"| {mutation.control} | {mutation.removes} | {named} |")
    assert result.returncode == RED, (
        f"{mutation.control} was removed ({mutation.removes}) and no test of "
        f"{', '.join(mutation.tests)} turned red (exit code {result.returncode}):\n"
        f"{result.stdout[-2000:]}{result.stderr[-2000:]}"
    )
