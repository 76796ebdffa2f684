"""Ten minutes of pause in an accelerated room."""

import pytest

from tests.e2e.conftest import WARM
from tests.e2e.room import client_of, demo_room

SPEED = 30.0


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
