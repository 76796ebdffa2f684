"""Ties risk controls to tests: `pytest --requirements=docs/risks.md` fails when one is unproven.

A control is an ID like RC-012 in a table row of that file; a test names the controls that it shows
with `@pytest.mark.requirement("RC-012")`. Only a test that passed counts. A proof in several runs,
each with any number of worker processes, hands on what was shown in a file: `--controls-shown`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CONTROL_ID = re.compile(r"\bRC-\d{3}\b")
PROPERTY = "requirement"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements",
        type=Path,
        metavar="FILE",
        help="fail when a risk control in a table of FILE has no passing test",
    )
    parser.addoption(
        "--controls-shown",
        type=Path,
        metavar="FILE",
        help="add what the tests of this run claim and show to FILE; what is there counts too",
    )
    parser.addoption("--control", metavar="ID", help="run only the tests that show this control")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requirement(id, ...): the risk controls that this test shows, e.g. RC-012"
    )
    if hasattr(config, "workerinput"):
        return
    path: Path | None = config.getoption("--requirements")
    if path is not None:
        path = config.invocation_params.dir / path
        if not path.is_file():
            raise pytest.UsageError(f"--requirements: there is no file {path}")
    kept: Path | None = config.getoption("--controls-shown")
    if path is not None or kept is not None:
        config.pluginmanager.register(Traceability(path, kept))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties += [(PROPERTY, control) for control in controls_of(item)]
    control: str | None = config.getoption("--control")
    if control is None:
        return
    others = [item for item in items if control not in controls_of(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if control in controls_of(item)]


def controls_of(item: pytest.Item) -> Iterator[str]:
    """The controls that a test names."""
    return (str(control) for mark in item.iter_markers("requirement") for control in mark.args)


def controls_in(text: str) -> frozenset[str]:
    """The IDs of all controls that stand in a row of a Markdown table."""
    rows = (line for line in text.splitlines() if line.lstrip().startswith("|"))
    return frozenset(control for row in rows for control in CONTROL_ID.findall(row))


class Traceability:
    """Compares the controls of one risk file with the tests of this run and of those before it."""

    def __init__(self, risks: Path | None, kept: Path | None) -> None:
        self.risks = risks
        self.kept = kept
        self.controls = controls_in(risks.read_text("utf-8")) if risks else frozenset()
        self.claims: dict[str, set[str]] = {}  # a control: the tests that name it
        self.shown: set[str] = set()
        if kept and kept.is_file():
            for line in kept.read_text("utf-8").splitlines():
                self._take(*line.split(" ", 2))

    def _take(self, control: str, verdict: str, test: str) -> None:
        self.claims.setdefault(control, set()).add(test)
        if verdict == "passed":
            self.shown.add(control)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not report.skipped:
            return
        for name, control in report.user_properties:
            if name == PROPERTY:
                self._take(str(control), report.outcome, report.nodeid)

    def complaints(self) -> list[str]:
        """One sentence for every control without a passing test and every unknown ID."""
        if self.risks is None:
            return []
        source = self.risks.name
        unproven = [
            f"{control} of {source} has no passing test."
            for control in sorted(self.controls - self.shown)
        ]
        unknown = [
            f"{test} names {control}, which is in no table of {source}."
            for control in sorted(self.claims.keys() - self.controls)
            for test in sorted(self.claims[control])
        ]
        empty = [] if self.controls else [f"{source} has no table with an RC-nnn."]
        return empty + unproven + unknown

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.kept:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            self.kept.write_text("".join(self._lines()), "utf-8")
        if self.complaints() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if complaints := self.complaints():
            terminalreporter.section("risk controls without proof", red=True)
            for complaint in complaints:
                terminalreporter.line(complaint)
        elif self.risks:
            terminalreporter.line(f"All {len(self.controls)} risk controls have a passing test.")

    def _lines(self) -> Iterator[str]:
        for control, tests in sorted(self.claims.items()):
            verdict = "passed" if control in self.shown else "unproven"
            yield from (f"{control} {verdict} {test}\n" for test in sorted(tests))
