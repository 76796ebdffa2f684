"""`hipec simulate` and `hipec trial` refuse what cannot be, and call everything simulated."""

import json
from pathlib import Path

import pytest

from service.cli import main
from service.virtual.chosen import protocol_of
from service.virtual.figures import Figures
from service.virtual.patient_file import patient_of
from service.virtual.simulate import as_text, plot, told
from service.virtual.trial_report import SIMULATED, page, write
from service.virtual.verdict import FASTER, SLOWER, groups


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 1
    return capsys.readouterr().err


def result(index: int = 1, controller: str = "automatic", **how) -> Figures:
    whole = {
        "gate_min": 8.0,
        "treated_s": 5400,
        "hottest_ok_s": 5400,
        "mean_in_band_s": 5400,
        "sites_in_band": 0.9,
        "coldest_c": 42.3,
        "coldest_in_band": 0.4,
        "hottest_c": 43.4,
        "mean_c": 42.9,
        "spread_c": 0.8,
        "core_max_c": 38.9,
        "core_hot_s": 0,
        "over_ceiling_s": 0,
        "audible": 3 if controller == "automatic" else None,
        "cem43_mean": 80.0,
        "forecast_error_min": 1.5,
        "said": True,
        "said_gate_min": 8.0,
    }
    return Figures(index=index, controller=controller, **{**whole, **how})


def trial(*, core=None, faster=None, slower=None) -> dict[str, list[Figures]]:
    return {
        "automatic": [result(**(core or {}))],
        SLOWER: [result(controller=SLOWER, **{"sites_in_band": 0.5, **(slower or {})})],
        FASTER: [
            result(controller=FASTER, **{"sites_in_band": 0.8, "core_hot_s": 600, **(faster or {})})
        ],
    }


def unmet(results: dict[str, list[Figures]]) -> list[str]:
    return [aim.what for aim in groups(results)[-1].aims if aim.met is False]


def test_a_trial_that_meets_everything_has_no_aim_unmet() -> None:
    assert unmet(trial()) == []


@pytest.mark.parametrize(
    ("core", "what"),
    [
        ({"over_ceiling_s": 1}, "anything at a ceiling without a fault"),
        ({"hottest_ok_s": 5345}, "hottest site within the band's upper edge"),
        ({"mean_in_band_s": 5237}, "mean of sites in band"),
        ({"sites_in_band": 0.8}, "site-minutes in band"),
        ({"gate_min": 8.1, "said": False}, "gate reached no later"),
        ({"gate_min": 9.6}, "gate reached no later"),
        ({"gate_min": None}, "gate reached no later"),
        ({"said_gate_min": None, "gate_min": 12.0}, "gate reached no later"),
        ({"forecast_error_min": 1.51}, "error of the forecast"),
        ({"core_hot_s": 451}, "minutes of core"),
        ({"audible": 4}, "audible alarms in a clean case"),
    ],
)
def test_each_aim_is_unmet_just_beyond_its_target(core, what: str) -> None:
    (found,) = unmet(trial(core=core))
    assert found.startswith(what)


@pytest.mark.parametrize(
    "told",
    [
        {"gate_min": 20.0, "said_gate_min": 17.0},
        {"gate_min": None, "said_gate_min": None},
    ],
)
def test_a_late_gate_that_was_rightly_told_beforehand_meets_the_aim(told) -> None:
    assert unmet(trial(core=told)) == []


def test_a_warm_core_is_no_clean_case_and_its_alarms_are_reported_apart() -> None:
    assert unmet(trial(core={"core_max_c": 39.1, "audible": 5})) == []


def test_patients_whose_sites_lie_apart_under_the_faster_baseline_are_judged_apart() -> None:
    within, apart, everybody = groups(trial(faster={"spread_c": 1.01}))
    assert (within.patients, apart.patients, everybody.patients) == (0, 1, 1)
    assert within.aims == []


def test_the_core_is_compared_with_the_baseline_that_holds_more_in_the_band() -> None:
    results = trial(core={"core_hot_s": 60}, slower={"sites_in_band": 0.85, "core_hot_s": 60})
    assert unmet(results) == ["minutes of core ≥ 39.5 °C per patient"]


def test_page_table_and_plot_are_written_and_say_that_all_is_simulated(tmp_path: Path) -> None:
    protocol = protocol_of("closed-mmc-90")
    write(tmp_path, protocol, trial(), {"cohort": "one"})
    assert SIMULATED in (tmp_path / "report.md").read_text()
    assert (tmp_path / "trial.png").stat().st_size > 10_000
    assert (tmp_path / "limits.png").stat().st_size > 10_000
    assert len((tmp_path / "patients.csv").read_text().splitlines()) == 4


def test_a_baseline_alone_is_reported_without_a_verdict() -> None:
    protocol = protocol_of("closed-mmc-90")
    text = page(protocol, {FASTER: [result(controller=FASTER)]}, {})
    assert "| baseline-1.5 | 1 |" in text
    assert "aim" not in text


def test_a_simulated_session_is_told_as_text_json_and_plot(room, tmp_path: Path) -> None:
    found = told(room, room.state.session.clocks)
    assert found["simulated"].startswith("SIMULATED")
    assert [each["phase"] for each in found["phases"]] == ["prime", "fill", "heat_up"]
    assert json.loads(json.dumps(found)) == found
    assert as_text(found).startswith("SIMULATED")
    plot(room, tmp_path / "session.png")
    assert (tmp_path / "session.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["simulate", "mmc-90"], "there is no protocol 'mmc-90'; there are closed"),
        (
            ["simulate", "closed-mmc-90", "--technique", "open"],
            "is a protocol for the closed technique, not the open one; name its twin, such as open",
        ),
        (["simulate", "closed-mmc-90", "--fault", "boom@1m"], "no fault is called 'boom'"),
        (["simulate", "closed-mmc-90", "--patient", "/none.toml"], "cannot be read"),
        (["trial", "--protocol", "closed-mmc-90", "--patients", "0"], "ask for at least one"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refused(capsys, *arguments)


def test_a_cohort_with_a_wrong_column_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text("index,seed,mood\n1,1,3\n")
    asked = ("trial", "--protocol", "closed-mmc-90", "--cohort", str(path))
    assert "column 'mood' is no figure of a patient" in refused(capsys, *asked)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mood = 3", "'mood' is no figure of a patient; there are seed, perfusate_ml"),
        ("core_start_c = 45", "core_start_c is 45; allowed is 30 to 39 degC"),
        ("core_start_c = true", "core_start_c is True; it must be a number"),
        ("seed = 1.5", "seed is 1.5; it must be a whole number"),
        ("core_start_c", "is not TOML"),
    ],
)
def test_a_patient_file_that_cannot_be_used_is_refused_with_field_and_reason(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "patient.toml"
    path.write_text(text)
    assert says in refused(capsys, "simulate", "closed-mmc-90", "--patient", str(path))


def test_a_patient_file_sets_what_it_names_and_keeps_the_usual_start(tmp_path: Path) -> None:
    path = tmp_path / "patient.toml"
    path.write_text("seed = 7\ncore_start_c = 35.2\n")
    patient = patient_of(path)
    assert patient.seed == 7
    assert patient.parameters("open").core_start_c == 35.2
    assert patient.parameters("open").reservoir_start_c == 42.0
