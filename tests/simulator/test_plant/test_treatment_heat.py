"""The virtual patient warms as published patients, pigs and heat balances do."""

import pytest

from simulator.plant import SITES, Parameters, Plant

PERFUSATE_J_ML_K = 4.15


@pytest.mark.parametrize("technique", ["closed", "open"])
def test_in_steady_perfusion_the_perfusate_gives_what_patient_and_surface_take(technique):
    plant = Plant(Parameters(technique=technique, cavity_start_ml=3000, bath_start_c=45.6))
    plant.inflow_to_patient = plant.heater_on = True
    plant.bath_set_c = 45.6
    plant.pump_ml_min = 1000.0
    plant.cooling_w = 30.0
    plant.advance(3600.0)
    p, body = plant.parameters, plant.patient

    held_j = plant.abdomen.stored_j + body.stored_j
    given_j = taken_j = 0.0
    for _ in range(1800):
        plant.advance(1.0)
        difference_k = plant.inflow_line.end_c(plant.now_s) - plant.abdomen.outlet_c
        given_j += plant.flow_ml_min / 60.0 * PERFUSATE_J_ML_K * difference_k
        taken_j += p.core_loss_w_k * (body.core_c - p.room_c)
        taken_j += p.periphery_loss_w_k * (body.periphery_c - p.room_c)
        taken_j += p.surface_w_k * (plant.cavity_c - p.room_c)
        taken_j += plant.cooling_w - p.metabolism_w
    taken_j += plant.abdomen.stored_j + body.stored_j - held_j

    print(f"{technique}: given {given_j / 1800:.1f} W, taken {taken_j / 1800:.1f} W")
    assert taken_j == pytest.approx(given_j, rel=0.02)


def test_the_outflow_falls_with_the_flow_by_2_to_3_degrees_from_4_to_half_a_litre(perfuse):
    outflows_c = [perfuse(flow, 44).minutes[-1].outflow_c for flow in (4000, 2000, 1000, 500)]
    print("outflow at 4, 2, 1, 0.5 L/min:", [round(c, 2) for c in outflows_c])
    assert outflows_c == sorted(outflows_c, reverse=True)
    assert 2.0 <= outflows_c[0] - outflows_c[-1] <= 3.0


@pytest.mark.parametrize(("technique", "inflow_c"), [("closed", 44), ("closed", 45), ("open", 44)])
def test_from_half_an_hour_on_the_outflow_is_1_to_3_degrees_below_the_inflow_at_1_litre(
    perfuse, technique, inflow_c
):
    late = perfuse(1000, inflow_c, technique).minutes[29:]
    differences_k = [minute.inflow_c - minute.outflow_c for minute in late]
    print(technique, inflow_c, f"{min(differences_k):.2f} to {max(differences_k):.2f} K")
    assert min(differences_k) >= 1.0
    assert max(differences_k) <= 3.0


@pytest.mark.parametrize("inflow_c", [44.5, 45])
def test_the_closed_cavity_reaches_42_in_10_to_20_minutes(perfuse, inflow_c):
    minutes = perfuse(1000, inflow_c).minutes_to(42.0)
    print(f"inflow {inflow_c}: 42 °C after {minutes} min")
    assert 10 <= minutes <= 20


def test_inflow_44_gives_a_mean_perfusate_near_42_as_in_the_published_series(perfuse):
    end_c = perfuse(1000, 44).minutes[-1].cavity_c
    print(f"cavity at the end {end_c:.2f}")
    assert end_c == pytest.approx(42.0, abs=0.5)


@pytest.mark.parametrize(
    ("flow_ml_min", "inflow_c", "technique"),
    [(1000, 44, "closed"), (1000, 45, "closed"), (1500, 45.5, "open")],
)
def test_an_uncooled_core_rises_by_1_5_to_3_5_degrees_in_90_minutes(
    perfuse, flow_ml_min, inflow_c, technique
):
    rise_k = perfuse(flow_ml_min, inflow_c, technique).minutes[-1].core_c - 36.0
    print(f"{technique} {inflow_c}: core +{rise_k:.2f}")
    assert 1.5 <= rise_k <= 3.5


def test_60_watts_of_cooling_leave_the_core_0_8_to_1_3_degrees_cooler(perfuse):
    uncooled, cooled = perfuse(1000, 44).minutes[-1], perfuse(1000, 44, cooling_w=60).minutes[-1]
    print(f"core {uncooled.core_c:.2f}, cooled {cooled.core_c:.2f}")
    assert 0.8 <= uncooled.core_c - cooled.core_c <= 1.3


@pytest.mark.parametrize(("flow_ml_min", "technique"), [(1000, "closed"), (1500, "open")])
def test_the_tissue_layer_lies_half_to_one_and_a_half_degrees_below_the_fluid(
    perfuse, flow_ml_min, technique
):
    late = perfuse(flow_ml_min, 45, technique).minutes[20:]
    print(technique, round(late[0].tissue_below_k, 2), round(late[-1].tissue_below_k, 2))
    assert all(0.5 <= minute.tissue_below_k <= 1.5 for minute in late)


@pytest.mark.parametrize(
    ("flow_ml_min", "inflow_c", "technique", "least_k", "most_k"),
    [
        (1000, 45, "closed", 1.0, 3.0),
        (1200, 45, "closed", 1.0, 3.0),
        (1500, 45.5, "open", 0.5, 1.5),
    ],
)
def test_the_site_probes_lie_as_far_apart_as_expected_for_the_technique(
    perfuse, flow_ml_min, inflow_c, technique, least_k, most_k
):
    spreads_k = [m.probes_spread_k for m in perfuse(flow_ml_min, inflow_c, technique).minutes[20:]]
    print(technique, f"spread {min(spreads_k):.2f} to {max(spreads_k):.2f} K")
    assert least_k <= min(spreads_k)
    assert max(spreads_k) <= most_k


@pytest.mark.parametrize(
    ("flow_ml_min", "inflow_c", "technique"), [(1100, 45, "closed"), (1500, 45.5, "open")]
)
def test_the_default_protocols_inflow_is_reached_with_the_bath_within_its_maximum(
    perfuse, flow_ml_min, inflow_c, technique
):
    run = perfuse(flow_ml_min, inflow_c, technique)
    late = run.minutes[20:]
    above_k = [minute.bath_c - minute.inflow_c for minute in late]
    print(technique, f"bath {late[-1].bath_c:.2f}, {max(above_k):.2f} K above the inflow")
    assert max(above_k) <= 0.75
    assert max(minute.bath_c for minute in late) <= 46.5
    assert late[-1].inflow_c == pytest.approx(inflow_c, abs=0.1)
    assert 42.5 <= late[-1].cavity_c <= 43.5


def test_the_bladder_lies_against_perfusate_and_the_nasopharynx_follows_the_core(running):
    running.advance(1800.0)
    assert running.probe_c("nasopharynx") == pytest.approx(running.core_c, abs=0.2)
    assert 0.5 <= running.probe_c("bladder") - running.core_c <= 1.8


def test_after_draining_the_core_falls(running):
    running.advance(3600.0)
    hottest_c = running.core_c
    running.heater_on, running.pump_ml_min, running.draining = False, 0.0, True
    running.advance(3600.0)
    assert running.cavity_ml < 1.0
    assert running.core_c < hottest_c - 0.1


def test_filling_from_the_reservoir_takes_minutes_and_wets_every_site():
    plant = Plant(Parameters(reservoir_start_c=42.0, bath_start_c=43.0))
    plant.heater_on, plant.bath_set_c = True, 43.0
    plant.pump_ml_min = 1000.0
    plant.advance(120.0)
    dry_c = [plant.probe_c(site) for site in SITES]
    assert plant.cavity_ml == 0.0
    plant.inflow_to_patient = True
    plant.advance(240.0)
    print(f"cavity {plant.cavity_ml:.0f} mL, reservoir {plant.reservoir_ml:.0f} mL")
    assert plant.cavity_ml == pytest.approx(3000, abs=50)
    assert 400 <= plant.reservoir_ml <= 700
    assert all(
        plant.probe_c(site) > before_c + 1.0 for site, before_c in zip(SITES, dry_c, strict=True)
    )
