"""Where each millilitre and each milligram is, and why it may not add up."""

import pytest

from service.core.ledger import Ledger, ledger
from service.core.model import CommandState
from tests.core.bench import Bench, at


def told(bench: Bench) -> Ledger:
    found = ledger(bench.state)
    assert found is not None
    return found


def opened(protocol: str = "closed-mmc-90", **args: float | str) -> Bench:
    bench = Bench(protocol)
    bench.command("open_session", protocol=protocol, **args)
    return bench


def test_without_a_session_there_is_no_ledger() -> None:
    assert ledger(Bench().state) is None


def test_volumes_are_kept_by_kind_and_add_up() -> None:
    bench = opened()
    for kind, ml in (("prime", 800), ("in", 3000), ("in", 200), ("drug", 250), ("sample", 20)):
        assert bench.command("volume", kind=kind, ml=ml).state is CommandState.CONFIRMED
    found = told(bench)
    assert found.in_ml == {"in": 3200.0, "prime": 800.0, "drug": 250.0}
    assert found.out_ml == {"sample": 20.0}
    assert found.retained_ml == 4230.0
    assert found.reservoir_ml == 900.0
    assert bench.command("volume", kind="beer", ml=500).state is CommandState.REFUSED


def test_what_the_pump_has_moved_is_counted() -> None:
    bench = at("perfuse", "closed")
    before, flow_ml_min = told(bench).pumped_ml, bench.pump
    bench.run(60)
    assert flow_ml_min is not None
    assert told(bench).pumped_ml - before == pytest.approx(flow_ml_min, rel=0.03)


def test_each_fraction_is_told_in_milligrams_of_the_label() -> None:
    bench = opened(dose_mg=60.0, second="S. Two")
    assert told(bench).drug is not None
    bench.command("volume", kind="in", ml=4000)
    for fraction in (1, 2):
        bench.command("confirm_drug", fraction=fraction)
    drug = told(bench).drug
    assert drug is not None
    assert (drug.label_mg, drug.given_mg) == (60.0, (30.0, 15.0))
    assert drug.in_circuit_or_patient_mg_estimate == 45.0
    bench.command("volume", kind="drained", ml=3000)
    drug = told(bench).drug
    assert drug is not None
    assert drug.drained_mg_estimate == pytest.approx(33.75)
    assert drug.in_circuit_or_patient_mg_estimate == pytest.approx(11.25)


def test_drug_given_after_part_of_the_fluid_is_out_does_not_leave_with_it() -> None:
    bench = opened(dose_mg=40.0, second="S. Two")
    bench.command("volume", kind="in", ml=4000)
    bench.command("confirm_drug", fraction=1)
    bench.run(1)
    bench.command("volume", kind="out", ml=2000)
    bench.run(1)
    bench.command("confirm_drug", fraction=2)
    drug = told(bench).drug
    assert drug is not None
    assert drug.drained_mg_estimate == pytest.approx(10.0)
    assert drug.in_circuit_or_patient_mg_estimate == pytest.approx(20.0)


def test_without_a_dose_no_milligram_is_invented() -> None:
    assert told(opened()).drug is None
    assert told(opened("closed")).drug is None


def test_what_leaves_the_reservoir_is_a_leak_unless_the_abdomen_grows_tense() -> None:
    for iap, first in ((12.0, "a leak or spill"), (18.0, "it stays in the abdomen")):
        bench = at("perfuse", "closed")
        bench.run(20)
        bench.values["level"], bench.values["iap"] = 560.0, iap
        bench.run(16)
        found = told(bench)
        assert found.missing_ml == pytest.approx(340.0)
        assert found.causes[0].startswith(first)
        assert "a volume was moved and not written down" in found.causes


def test_after_the_drain_what_was_not_written_down_is_asked_for_first() -> None:
    bench = at("perfuse", "open-mmc-90")
    bench.command("volume", kind="in", ml=4000)
    bench.command("start_phase", phase="drain", reason="test")
    bench.command("start_phase", phase="rinse")
    found = told(bench)
    assert found.missing_ml == 4000.0
    assert found.causes[0] == "what was drained has not been written down"
    assert found.causes[-1].startswith("evaporation from the open field")
    bench.command("volume", kind="drained", ml=3900)
    assert told(bench).causes == ()
    bench.command("volume", kind="rinse_out", ml=2000)
    assert told(bench).causes[0].startswith("more came out")
