"""A whole accelerated treatment through HTTP, as a program that we did not write would do it."""

import pytest

from tests.e2e.conftest import WARM
from tests.e2e.room import client_of, demo_room

SPEED = 20.0


@pytest.mark.requirement("RC-023", "RC-024")
def test_a_full_treatment_runs_from_set_up_to_closing_and_its_clocks_add_up() -> None:
    with demo_room(SPEED) as room, client_of(room) as client:
        client.until(lambda s: s["channels"]["inflow"]["value"], 15, "the page is alive at once")
        client.command(
            "open_session", protocol="closed-oxaliplatin-30", height_cm=170, weight_kg=70
        )
        client.until(lambda s: s["phase"] == "setup", 5, "a session is open")
        client.start("prime")
        client.until(
            lambda s: s["figures"] and s["channels"]["reservoir"]["value"] > 41, 90, "warm"
        )
        client.start("fill")
        client.start("heat_up")
        client.start("drug_addition", within_s=120)
        client.command("confirm_drug", fraction=1)
        client.until(lambda s: s["phase"] == "perfuse", 5, "the clock runs")
        client.command("set_controller", mode="automatic")
        state = client.until(lambda s: s["clocks"]["left_s"] == 0, 120, "treatment time is over")
        clocks = state["clocks"]
        parts = clocks["in_band_s"] + clocks["out_of_band_s"] + clocks["unobserved_s"]
        assert clocks["elapsed_s"] == pytest.approx(30 * 60, abs=0.1)
        assert parts == pytest.approx(clocks["elapsed_s"], abs=0.1)
        assert clocks["in_band_s"] > 0.5 * clocks["elapsed_s"]
        client.until(lambda s: not s["heat"]["on"], 5, "heat is off by itself")
        client.start("drain")
        client.start("rinse")
        client.start("complete")
        client.command("close_session")
        client.until(lambda s: s["session"] is None, 5, "closed")
        onsets = [m["id"] for _, m in client.messages if m.get("event") == "onset"]
        assert set(onsets) <= {"reminder_due", "sites_low", "treatment_over"}, onsets


@pytest.mark.requirement("RC-014", "RC-110")
def test_after_ten_minutes_of_pause_the_restarted_inflow_stays_under_its_ceiling() -> None:
    with demo_room(SPEED, WARM) as room, client_of(room) as client:
        client.to_heat_up()
        client.until(lambda s: (s["channels"]["inflow"]["value"] or 0) > 44.5, 60, "hot inflow")
        client.command("pause")
        paused = client.until(lambda s: not s["heat"]["on"] and not s["pump"]["on"], 5, "paused")
        ten_minutes = paused["clocks"]["phase_s"] + 600
        client.until(lambda s: s["clocks"]["phase_s"] > ten_minutes, 60, "ten minutes")
        resumed = len(client.messages)
        client.command("resume")
        ten_minutes = client.state["clocks"]["phase_s"] + 600
        client.until(lambda s: s["clocks"]["phase_s"] > ten_minutes, 60, "ten minutes more")
        client.until(lambda s: (s["channels"]["inflow"]["value"] or 0) > 43, 60, "heat is back")
        inflows = [
            message["channels"]["inflow"]["value"]
            for _, message in client.messages[resumed:]
            if message["type"] == "frame" and message["device"] == "circuit"
        ]
        assert len(inflows) > 50
        assert max(inflows) < 46.0
