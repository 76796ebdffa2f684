"""A risk control without a passing test stops the run; so does a test of an unknown control."""

import pytest

RISKS = """
# Risks
RC-099 in running text is no control.

| hazard | control | test |
|---|---|---|
| overheating | RC-001 heat off at the ceiling | yes |
| dead process | RC-002 supervisor, RC-003 relay | yes |
"""
TESTS = """
import pytest

@pytest.mark.requirement("RC-001")
def test_heat_off():
    assert 1 + 1 == 2

@pytest.mark.requirement("RC-002", "RC-003")
@pytest.mark.parametrize("seconds", [1, 2])
def test_supervisor(seconds):
    assert seconds
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest, without this project's other plugins, over a folder with tests and risks."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makefile(".md", risks=RISKS)

    def run_with(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(tests)
        return pytester.runpytest_inprocess("-p", "tests.requirements_plugin", *options)

    return run_with


def test_controls_that_all_have_a_passing_test_let_the_run_pass(run):
    result = run(TESTS, "--requirements", "risks.md")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["All 3 risk controls have a passing test."])


def test_a_control_without_a_test_fails_the_run_and_is_named(run):
    result = run(TESTS.replace('"RC-002", "RC-003"', '"RC-002"'), "--requirements", "risks.md")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["RC-003 of risks.md has no passing test."])


def test_a_test_that_did_not_pass_proves_nothing(run):
    result = run(TESTS.replace("== 2", "== 3"), "--requirements", "risks.md")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["RC-001 of risks.md has no passing test."])


def test_a_skipped_test_proves_nothing(run):
    skipped = TESTS.replace("assert 1 + 1 == 2", "pytest.skip('no browser')")
    result = run(skipped, "--requirements", "risks.md")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["RC-001 of risks.md has no passing test."])


def test_a_test_that_names_an_unknown_control_fails_the_run(run):
    result = run(TESTS.replace('"RC-001"', '"RC-001", "RC-099"'), "--requirements", "risks.md")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["*::test_heat_off names RC-099, which is in no table of risks.md."]
    )


def test_a_risk_file_without_controls_fails_the_run(run, pytester: pytest.Pytester):
    pytester.makefile(".md", empty="# Nothing yet")
    result = run("def test_any():\n    assert True is not False", "--requirements", "empty.md")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["empty.md has no table with an RC-nnn."])


def test_a_missing_risk_file_is_a_usage_error(run):
    result = run(TESTS, "--requirements", "nowhere.md")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no file *nowhere.md"])


def test_without_the_option_nothing_is_required(run):
    result = run("def test_any():\n    assert True is not False")
    assert result.ret == pytest.ExitCode.OK


def test_only_the_tests_that_show_one_control_are_run_when_asked_for(run) -> None:
    run(TESTS, "--control=RC-003").assert_outcomes(passed=2, deselected=1)


def test_a_proof_in_two_runs_counts_what_both_have_shown(run) -> None:
    kept = "--controls-shown=kept/controls"
    first = run(TESTS, "-k", "heat_off", kept)
    assert first.ret == pytest.ExitCode.OK
    first.stdout.no_fnmatch_line("*has no passing test*")
    second = run(TESTS, "-k", "supervisor", kept, "--requirements", "risks.md")
    assert second.ret == pytest.ExitCode.OK
    second.stdout.fnmatch_lines(["All 3 risk controls have a passing test."])


def test_what_no_run_has_shown_fails_the_last_one(run) -> None:
    run(TESTS.replace("== 2", "== 3"), "-k", "heat_off", "--controls-shown=controls")
    result = run(
        TESTS, "-k", "supervisor", "--controls-shown=controls", "--requirements", "risks.md"
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["RC-001 of risks.md has no passing test."])


def test_worker_processes_hand_on_what_their_tests_show(run) -> None:
    result = run(TESTS, "-p", "xdist", "-n", "2", "--requirements", "risks.md")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["All 3 risk controls have a passing test."])
