"""Pump, tubes, exchanger and heater behave as the circuit on the trolley does."""

import pytest

from simulator.plant import SITES, Parameters, Plant


def bath_only(**start) -> Plant:
    plant = Plant(Parameters(**start))
    plant.heater_on = True
    return plant


def test_the_heater_never_gives_more_than_its_limit_and_heats_10_litres_as_slowly_as_that():
    plant = bath_only(bath_start_c=30)
    plant.bath_set_c = 45.0
    started_c, powers_w = plant.circulator.bath.temperature_c, []
    for _ in range(300):
        plant.advance(1.0)
        powers_w.append(plant.circulator.power_w)
    assert max(powers_w) == plant.parameters.heater_max_w
    assert plant.heater_percent == 100.0
    risen_k = plant.circulator.bath.temperature_c - started_c
    assert risen_k <= 1300 * 300 / 41_500


def test_the_baths_regulator_does_not_wind_up_during_a_long_heat_up():
    plant = bath_only(bath_start_c=30)
    plant.bath_set_c = 45.0
    hottest_c = 0.0
    for _ in range(3600):
        plant.advance(1.0)
        hottest_c = max(hottest_c, plant.circulator.bath.temperature_c)
    print(f"overshoot {hottest_c - 45.0:.2f} K")
    assert hottest_c <= 45.2
    assert plant.circulator.bath.temperature_c == pytest.approx(45.0, abs=0.02)


def test_an_inflow_never_gets_hotter_than_the_bath(running):
    for _ in range(600):
        running.advance(1.0)
        assert running.inflow_line.end_c(running.now_s) < running.circulator.bath.temperature_c


def test_a_warmer_exchanger_reaches_the_patient_after_the_tubes_volume_has_passed(running):
    before_c = running.inflow_line.end_c(running.now_s)
    running.bolus(2000, 4.0)
    running.heater_on = False
    transit_s = running.parameters.inflow_line_ml / (1000 / 60)
    running.advance(transit_s * 0.8)
    assert running.inflow_line.end_c(running.now_s) == pytest.approx(before_c, abs=0.05)
    running.advance(transit_s * 3)
    assert running.inflow_line.end_c(running.now_s) < before_c - 1.0


def test_ten_minutes_pause_with_heat_off_cools_the_exchanger_and_the_restart_stays_below_the_bath(
    running,
):
    standing_c = running.exchanger.shell_c
    running.heater_on, running.pump_ml_min = False, 0.0
    running.advance(60.0)
    cooled_k = standing_c - running.exchanger.shell_c
    print(f"exchanger cools by {cooled_k:.2f} K in the first minute")
    assert 1.0 <= cooled_k <= 2.0
    running.advance(540.0)
    assert running.probe_c("exchanger") < 38.0

    running.heater_on, running.pump_ml_min = True, 1000.0
    hottest_c = 0.0
    for _ in range(900):
        running.advance(1.0)
        hottest_c = max(hottest_c, running.probe_c("inflow"))
    print(f"hottest inflow after the restart {hottest_c:.2f}")
    assert hottest_c < 45.6


def test_a_stopped_line_soaks_to_the_bath_when_the_heater_is_left_on(running):
    running.pump_ml_min = 0.0
    running.advance(300.0)
    assert running.probe_c("exchanger") == pytest.approx(45.6, abs=0.3)
    assert running.probe_c("inflow") < 42.0


def test_250_ml_at_20_degrees_into_4_litres_at_43_mix_to_41_65():
    plant = Plant(Parameters(perfusate_ml=4440, reservoir_start_c=43.0))
    assert plant.reservoir_ml == 4000
    plant.bolus(250, 20.0)
    assert plant.probe_c("reservoir") == pytest.approx(43.0, abs=0.2)  # the probe lags
    assert plant.reservoir.temperature_c == pytest.approx(41.65, abs=0.01)


def test_a_drug_dose_beside_the_patient_cools_the_cavity_and_is_caught_up_in_ten_minutes(running):
    before_c = running.cavity_c
    running.bolus(250, 20.0, into="cavity")
    running.advance(5.0)
    dip_k = before_c - running.cavity_c
    running.advance(600.0)
    print(f"dip {dip_k:.2f} K, after ten minutes {running.cavity_c - before_c:+.2f} K")
    assert 1.0 <= dip_k <= 2.0
    assert running.cavity_c > before_c - 0.2


def test_a_drug_dose_into_the_reservoir_cools_it_and_is_warmed_by_the_exchanger(running):
    before_c, inflow_c = running.reservoir.temperature_c, running.probe_c("inflow")
    running.bolus(250, 20.0)
    assert running.reservoir.temperature_c < before_c - 3.0
    running.advance(30.0)
    assert 0.1 <= inflow_c - running.probe_c("inflow") <= 1.5


@pytest.mark.parametrize("step_s", [0.02, 0.5, 2.0])
def test_a_clamped_inflow_is_above_300_mmhg_within_2_seconds_and_without_flow(running, step_s):
    running.inflow_clamped = True
    for _ in range(round(2.0 / step_s)):
        running.advance(step_s)
    print(f"{running.line_in_mmhg():.0f} mmHg")
    assert running.line_in_mmhg() > 300
    assert running.flow_ml_min == 0.0
    assert running.pump_ml_min == 1000.0
    running.inflow_clamped = False
    running.advance(3.0)
    assert running.flow_ml_min == pytest.approx(1000, rel=0.01)
    assert running.line_in_mmhg() < 150


def test_ordinary_flows_stay_below_the_usual_pressure_warning():
    plant = Plant(Parameters(cavity_start_ml=3000))
    plant.inflow_to_patient = True
    shown_mmhg = []
    for flow_ml_min in (500.0, 1000.0, 1500.0, 2000.0):
        plant.pump_ml_min = flow_ml_min
        plant.advance(60.0)
        shown_mmhg.append(plant.line_in_mmhg())
    print([round(mmhg) for mmhg in shown_mmhg])
    assert shown_mmhg == sorted(shown_mmhg)
    assert shown_mmhg[-1] < 150


def test_a_blocked_outflow_fills_the_abdomen_above_25_mmhg_and_empties_the_reservoir(running):
    reservoir_ml, normal_mmhg = running.reservoir_ml, running.iap_elastic_mmhg
    running.outflow_blocked = True
    seconds = 0
    while running.iap_elastic_mmhg <= 25.0 and seconds < 300:
        running.advance(1.0)
        seconds += 1
    print(f"{normal_mmhg:.1f} mmHg before, above 25 after {seconds} s")
    assert 10 <= normal_mmhg <= 20
    assert 10 <= seconds < 180
    assert running.reservoir_ml < reservoir_ml - 300
    assert running.outflow_ml_min == 0.0
    running.outflow_blocked = False
    running.pump_ml_min = 500.0
    running.advance(120.0)
    assert running.iap_elastic_mmhg < 15


def test_the_pump_draws_air_and_the_flow_ends_when_the_reservoir_is_empty(running):
    running.outflow_blocked = True
    running.pump_ml_min = 2000.0
    running.advance(600.0)
    assert 0.0 <= running.reservoir_ml < 5.0
    assert running.flow_ml_min < 20.0


def test_more_flow_moves_volume_from_the_reservoir_into_the_abdomen(running):
    reservoir_ml, cavity_ml = running.reservoir_ml, running.cavity_ml
    running.pump_ml_min = 2000.0
    running.advance(120.0)
    moved_ml = running.cavity_ml - cavity_ml
    assert moved_ml == pytest.approx(125, abs=10)
    assert reservoir_ml - running.reservoir_ml == pytest.approx(moved_ml, abs=0.01)


def test_a_leak_lowers_reservoir_and_abdominal_pressure_and_is_counted(running):
    reservoir_ml, total_ml = running.reservoir_ml, running.circulating_ml
    running.leak_ml_min = 100.0
    running.advance(300.0)
    assert running.leaked_ml == pytest.approx(500, abs=1)
    assert running.reservoir_ml < reservoir_ml - 400
    assert running.circulating_ml + running.leaked_ml == pytest.approx(total_ml, abs=0.01)


def test_draining_empties_the_cavity_to_the_bag_within_ten_minutes(running):
    cavity_ml = running.cavity_ml
    running.pump_ml_min, running.draining = 0.0, True
    running.advance(600.0)
    assert running.cavity_ml < 1.0
    assert running.drained_ml == pytest.approx(cavity_ml, abs=20)
    assert running.iap_elastic_mmhg < 0.1


def test_the_bypass_warms_the_circuit_and_leaves_the_patient_alone():
    plant = bath_only()
    plant.bath_set_c = 42.5
    plant.pump_ml_min = 1500.0
    minutes = 0
    while plant.reservoir.temperature_c < 41.5 and minutes < 30:
        plant.advance(60.0)
        minutes += 1
    print(f"primed and preheated after {minutes} min")
    assert 5 <= minutes <= 15
    assert plant.cavity_ml == 0.0
    circuit_c = [plant.probe_c(place) for place in ("inflow", "outflow", "reservoir", "exchanger")]
    assert max(circuit_c) - min(circuit_c) < 1.2
    assert all(plant.probe_c(site) < 37.0 for site in SITES)


def test_an_open_abdomen_has_no_pressure_and_a_closed_one_breathes(running):
    opened = Plant(Parameters(technique="open", cavity_start_ml=3000))
    swing_mmhg = []
    for _ in range(100):
        opened.advance(0.1)
        running.advance(0.1)
        assert -0.5 <= opened.iap_mmhg() <= 2.5
        swing_mmhg.append(running.iap_mmhg())
    assert 1.5 <= max(swing_mmhg) - min(swing_mmhg) <= 4.0


def test_the_return_tube_is_pulled_below_atmosphere_when_its_holes_are_blocked(running):
    assert running.line_out_mmhg() > 0
    running.outflow_blocked = True
    running.advance(1.0)
    assert running.line_out_mmhg() == pytest.approx(-30, abs=4)
