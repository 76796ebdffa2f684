"""Ties risk controls to tests: `pytest --requirements=docs/risks.md` fails when one is unproven.

A control is an ID like RC-012 in a table row of that file; a test names the controls that it shows
with `@pytest.mark.requirement("RC-012")`. Only a test that passed counts.
"""

import re
from pathlib import Path

import pytest

CONTROL_ID = re.compile(r"\bRC-\d{3}\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements",
        type=Path,
        metavar="FILE",
        help="fail when a risk control in a table of FILE has no passing test",
    )
    parser.addoption("--control", metavar="ID", help="run only the tests that show this control")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requirement(id, ...): the risk controls that this test shows, e.g. RC-012"
    )
    path: Path | None = config.getoption("--requirements")
    if path is None:
        return
    path = config.invocation_params.dir / path
    if not path.is_file():
        raise pytest.UsageError(f"--requirements: there is no file {path}")
    config.pluginmanager.register(Traceability(path.name, controls_in(path.read_text("utf-8"))))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    control: str | None = config.getoption("--control")
    if control is None:
        return
    others = [item for item in items if not shows(item, control)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if shows(item, control)]


def shows(item: pytest.Item, control: str) -> bool:
    """Whether a test names this control."""
    return any(control in marker.args for marker in item.iter_markers("requirement"))


def controls_in(text: str) -> frozenset[str]:
    """The IDs of all controls that stand in a row of a Markdown table."""
    rows = (line for line in text.splitlines() if line.lstrip().startswith("|"))
    return frozenset(control for row in rows for control in CONTROL_ID.findall(row))


class Traceability:
    """Compares the controls of one risk file with the tests of one run."""

    def __init__(self, source: str, controls: frozenset[str]) -> None:
        self.source = source
        self.controls = controls
        self.claims: dict[str, set[str]] = {}  # a test's node id: the controls that it names
        self.shown: set[str] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("requirement"):
                self.claims.setdefault(item.nodeid, set()).update(map(str, marker.args))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.shown |= self.claims.get(report.nodeid, set())

    def complaints(self) -> list[str]:
        """One sentence for every control without a passing test and every unknown ID."""
        unproven = [
            f"{control} of {self.source} has no passing test."
            for control in sorted(self.controls - self.shown)
        ]
        unknown = [
            f"{test} names {control}, which is in no table of {self.source}."
            for test, named in sorted(self.claims.items())
            for control in sorted(named - self.controls)
        ]
        empty = [] if self.controls else [f"{self.source} has no table with an RC-nnn."]
        return empty + unproven + unknown

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.complaints() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if complaints := self.complaints():
            terminalreporter.section("risk controls without proof", red=True)
            for complaint in complaints:
                terminalreporter.line(complaint)
        else:
            terminalreporter.line(f"All {len(self.controls)} risk controls have a passing test.")
