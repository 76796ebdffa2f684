"""The protocols that come with the software say what the published regimens say."""

import pytest

from protocols.loader import load_all
from protocols.rules import PHASES, ROLES
from protocols.schema import (
    MATRIX_EVENTS,
    HeatResponse,
    Protocol,
    PumpResponse,
    ResumedBy,
    Statistic,
    Technique,
)
from service.core.model import Phase, Role

PROTOCOLS = load_all()
EVERY = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda each: each.id)


def test_six_treatments_are_shipped():
    assert set(PROTOCOLS) == {
        "open-coliseum",
        "closed",
        "open-mmc-90",
        "closed-mmc-90",
        "open-oxaliplatin-30",
        "closed-oxaliplatin-30",
    }


def test_protocols_and_room_speak_of_the_same_phases_and_roles():
    assert list(PHASES) == list(Phase)
    assert set(ROLES) == set(Role)


def test_open_coliseum_is_four_litres_of_saline_for_thirty_to_sixty_minutes_without_a_drug():
    coliseum = PROTOCOLS["open-coliseum"]

    assert coliseum.technique is Technique.OPEN
    assert (coliseum.perfusate.carrier, coliseum.perfusate.volume_ml) == ("saline 0.9 %", 4000)
    assert coliseum.clock.duration_range_min == (30, 60)
    assert coliseum.drug is None


def test_closed_technique_describes_trocars_and_thermosensor_catheters():
    closed = PROTOCOLS["closed"]

    assert closed.technique is Technique.CLOSED
    assert "balloon trocars" in closed.description
    assert "thermosensor catheters" in closed.description


@pytest.mark.parametrize("identity", ["open-mmc-90", "closed-mmc-90"])
def test_mitomycin_is_35_mg_m2_as_half_and_two_quarters_over_90_minutes(identity):
    protocol = PROTOCOLS[identity]

    assert protocol.drug.dose_mg_m2 == 35
    assert [(part.share, part.at_min) for part in protocol.drug.fractions] == [
        (0.5, 0),
        (0.25, 30),
        (0.25, 60),
    ]
    assert protocol.clock.duration_min == 90


@pytest.mark.parametrize(
    ("identity", "dose_mg_m2"), [("open-oxaliplatin-30", 460), ("closed-oxaliplatin-30", 360)]
)
def test_oxaliplatin_dose_depends_on_the_technique_and_its_iv_drugs_come_20_minutes_before(
    identity, dose_mg_m2
):
    protocol = PROTOCOLS[identity]

    assert protocol.drug.dose_mg_m2 == dose_mg_m2
    assert set(protocol.drug.carriers) == {"dextrose 5 %", "dialysate"}
    assert protocol.clock.duration_min == 30
    assert [
        (each.drug, each.dose_mg_m2, each.infusion_min, each.at_min) for each in protocol.reminders
    ] == [("leucovorin", 20, 10, -20), ("fluorouracil", 400, 15, -20)]


@EVERY
def test_the_band_is_on_the_mean_of_the_sites(protocol: Protocol):
    target = protocol.target

    assert (target.role, target.statistic) == ("site", Statistic.MEAN)
    assert (target.low_c, target.high_c) == (42.5, 43.5)


@EVERY
def test_limits_are_the_decided_defaults(protocol: Protocol):
    limits = protocol.limits

    assert (limits.inflow_ceiling_c, limits.inflow_margin_c, limits.inflow_isolate_c) == (
        46.0,
        0.3,
        48.0,
    )
    assert (limits.site_low_priority_c, limits.site_medium_c, limits.site_ceiling_c) == (
        43.5,
        43.8,
        44.0,
    )
    assert (
        limits.core_shown_c,
        limits.core_medium_c,
        limits.core_high_c,
        limits.core_ceiling_c,
    ) == (38.0, 39.0, 39.5, 40.0)
    assert (limits.iap_warn_mmhg, limits.iap_stop_mmhg) == (20, 25)
    assert (limits.bath_max_c, limits.bath_ceiling_c) == (46.5, 47.5)


@EVERY
def test_every_event_ends_the_heat_but_a_missing_abdominal_pressure(protocol: Protocol):
    assert set(protocol.matrix) == set(MATRIX_EVENTS)
    kept = [event for event, row in protocol.matrix.items() if row.heat is not HeatResponse.OFF]
    assert kept == ["iap_not_monitored"]
    assert protocol.matrix["temperature_ceiling"].pump is PumpResponse.ON
    assert protocol.matrix["patient_unstable"].resumed_by is ResumedBy.SURGEON


@EVERY
def test_heat_never_runs_in_setup_drain_rinse_and_complete(protocol: Protocol):
    running = [phase for phase in PHASES if protocol.heat[phase].allowed]
    assert running == ["prime", "fill", "heat_up", "drug_addition", "perfuse"]


@EVERY
def test_two_people_stop_before_the_drug_goes_in(protocol: Protocol):
    stop = [item for item in protocol.checklist if item.id == "stop_point"]
    assert [(item.before, item.names) for item in stop] == [("drug_addition", 2)]
    assert "cytoreduction" in stop[0].text


@EVERY
def test_every_source_says_how_far_it_supports_the_number(protocol: Protocol):
    assert all(len(text) > 10 for text in protocol.sources.values())
    assert "each centre approves its own" in protocol.sources["limits"]
