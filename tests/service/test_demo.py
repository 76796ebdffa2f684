"""The demo's simulated team, at the simulated field, as the room's live messages tell them."""

from pathlib import Path
from typing import Any

from service.demo import Team
from simulator.control import ask
from simulator.serve import RoomServer


def told(phase: str | None) -> dict[str, Any]:
    return {"phase": phase, "drug": None, "channels": {"nasopharynx": {"value": 36.5}}}


def test_rinse_and_the_next_treatment_begin_with_a_full_reservoir(tmp_path: Path) -> None:
    server = RoomServer(tmp_path / "ports")
    with server:
        team = Team(server.directory, "http://127.0.0.1:1", "token")
        team._follow(told(None))

        def reservoir_ml() -> float:
            return float(ask(server.directory, {"do": "state"})["plant"]["reservoir_ml"])

        for phase in ("rinse", "setup"):
            team._follow(told("drain"))
            server.room.plant.reservoir.take(3000.0)
            assert reservoir_ml() < 1000.0
            team._follow(told(phase))
            assert reservoir_ml() > 3400.0
            team._follow(told(phase))
            assert reservoir_ml() < 3600.0, "the bags are hung once"


def test_a_team_that_comes_back_in_the_middle_of_a_rinse_adds_nothing(tmp_path: Path) -> None:
    server = RoomServer(tmp_path / "ports")
    with server:
        server.room.plant.reservoir.take(3000.0)
        Team(server.directory, "http://127.0.0.1:1", "token")._follow(told("rinse"))
        assert ask(server.directory, {"do": "state"})["plant"]["reservoir_ml"] < 1000.0
