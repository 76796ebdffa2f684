"""Finished records for quality assurance over HTTP, read beside the live pages."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.web.conftest import open_room

STORED = Path(__file__).parents[1] / "data" / "sessions" / "clean.tar.xz"
pytestmark = pytest.mark.integration


async def test_qa_reads_verifies_and_exports_a_session_and_nobody_else_does(tmp_path: Path) -> None:
    with tarfile.open(STORED) as packed:
        packed.extract("hipec.db", tmp_path, filter="data")
    async with open_room(tmp_path) as room:
        qa = room.bearer("qa")
        listed = await room.http.get("/api/v1/records", headers=qa, timeout=60)
        (line,) = listed.json()
        path = f"/api/v1/records/{line['id']}"
        shown = (await room.http.get(path, headers=qa, timeout=60)).json()
        curve = (await room.http.get(f"{path}/curve", headers=qa, timeout=60)).json()
        of_room = await room.http.get("/api/v1/records/room/curve", headers=qa, timeout=60)
        proof = (await room.http.get(f"{path}/proof", headers=qa, timeout=120)).json()
        exported = await room.http.get(f"{path}/export", headers=qa, timeout=120)
        missing = await room.http.get("/api/v1/records/none", headers=qa, timeout=60)
        others = [
            (await room.http.get(path, headers=room.bearer(role))).status_code
            for role in ("perfusionist", "admin", "display")
        ]
        told = [(t["what"], t["who"]) for t in room.accesses()]
    assert line["mode"] in ("demo", "test")
    assert "Phases" in shown["text"] and proof["ok"], proof
    names = zipfile.ZipFile(io.BytesIO(exported.content)).namelist()
    assert any(name.endswith("verify.py") for name in names)
    assert curve["target"] == {"low_c": 42.5, "high_c": 43.5} and curve["simulated"]
    assert all(len(one["values"]) == len(curve["times_s"]) for one in curve["channels"])
    assert of_room.status_code == 404
    assert (missing.status_code, others) == (404, [403, 403, 403])
    assert told == [("exported", line["id"])]
