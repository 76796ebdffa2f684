"""Wrong cables, wrong devices, wrong commands: a clear answer, and the room goes on."""

import json
import os
import pty
import subprocess
import sys
import threading
import tty
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from service.site_text import demo_site
from simulator.serve import RoomServer
from tests.e2e.room import Client, DemoRoom


def test_a_command_in_the_wrong_phase_is_refused_with_the_reason_and_changes_nothing(
    client: Client,
) -> None:
    before = client.state["phase"]
    for name, args in (("start_phase", {"phase": "perfuse"}), ("set_inflow", {"c": 44.0})):
        answer = client.post(name, **args)
        assert answer.status_code == 409
        assert answer.json()["state"] == "refused"
        assert "session" in answer.json()["reason"]
    assert client.state["phase"] == before


def test_a_wrong_field_is_named(client: Client) -> None:
    answer = client.post("set_inflow", c="hot")
    assert answer.status_code == 422
    assert answer.json()["field"] == "args.c"


def test_a_browser_that_closes_leaves_the_room_as_it_is(room: DemoRoom, client: Client) -> None:
    url = room.address.replace("http", "ws", 1) + "/api/live"
    headers = {"Authorization": f"Bearer {room.tokens['perfusionist']}"}
    with connect(url, additional_headers=headers) as leaving:
        assert json.loads(leaving.recv(5))["type"] == "hello"
        leaving.socket.close()
    count = len(client.messages)
    client.first(lambda m: m["type"] == "heartbeat", 5, "heartbeats")
    client.until(lambda s: len(client.messages) > count + 20, 5, "frames go on")


def test_rubbish_on_the_wire_is_never_a_value_and_the_device_comes_back(
    room: DemoRoom, client: Client
) -> None:
    room.fault("sites", "garbage")
    client.until(lambda s: s["devices"]["sites"]["link"] == "lost", 6, "lost")
    since = len(client.messages)
    client.until(lambda s: len(client.messages) > since + 30, 5, "more messages")
    frames = [m for _, m in client.messages[since:] if m.get("device") == "sites"]
    assert frames == []
    room.simulate(do="clear", device="sites")
    client.until(lambda s: s["devices"]["sites"]["link"] == "live", 10, "back")


class EchoingStranger:
    """Something else on the heater's port: it answers every line with a greeting of its own."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            try:
                if os.read(self.master, 100).endswith(b"\r"):
                    os.write(self.master, b"ERR_3\r\n")
            except OSError:
                return

    def close(self) -> None:
        os.close(self._slave)
        os.close(self.master)


def test_a_missing_port_and_a_device_of_another_kind_are_shown_and_the_service_serves_the_rest(
    tmp_path: Path,
) -> None:
    stranger = EchoingStranger()
    with RoomServer(tmp_path / "ports") as _:
        text = demo_site(
            tmp_path / "ports", database=f"sqlite:///{tmp_path}/room.db", listen="127.0.0.1:0"
        )
        text = text.replace(f"{tmp_path}/ports/heater", stranger.path)
        text = text.replace(f"{tmp_path}/ports/flow", "/dev/serial/by-id/not-there")
        site = tmp_path / "site.toml"
        site.write_text(text)
        service = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--site", str(site)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert service.stdout is not None
            address = service.stdout.readline().split()[-1]
            tokens = dict(service.stdout.readline().split() for _ in range(6))
            devices = devices_of(address, tokens["qa"], until_lost={"heater", "flow"})
        finally:
            service.terminate()
            service.wait(20)
            service.stdout.close()
            stranger.close()
    assert devices["circuit"]["link"] == "live"
    assert "/dev/serial/by-id/not-there" in devices["flow"]["reason"]
    assert "ERR_3" in devices["heater"]["reason"]


def devices_of(address: str, token: str, until_lost: set[str]) -> dict[str, dict[str, str]]:
    url = address.replace("http", "ws", 1) + "api/live"
    with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as live:
        for _ in range(600):
            message = json.loads(live.recv(10))
            if message["type"] == "snapshot":
                devices = message["state"]["devices"]
                lost = {name for name, device in devices.items() if device["link"] == "lost"}
                if lost == until_lost and devices["circuit"]["link"] == "live":
                    return devices
    raise AssertionError(f"never lost: {until_lost}; {devices}")


@pytest.mark.parametrize(
    ("shared", "code", "says"),
    [
        ("database", 3, "already writes the journal"),
        ("address", 2, "Cannot listen on"),
    ],
)
def test_a_second_room_on_the_same_database_or_address_is_refused_with_a_sentence(
    room: DemoRoom, tmp_path: Path, shared: str, code: int, says: str
) -> None:
    own = shared == "address"
    database = tmp_path / "own.db" if own else room.site.with_name("hipec.db")
    listen = room.address.removeprefix("http://") if own else "127.0.0.1:0"
    site = tmp_path / "site.toml"
    site.write_text(demo_site(tmp_path, database=f"sqlite:///{database}", listen=listen))
    second = subprocess.run(
        [sys.executable, "-m", "service.cli", "serve", "--site", str(site)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == code, second.stderr
    assert says in second.stderr
    assert "Traceback" not in second.stderr
    assert httpx.get(f"{room.address}/healthz").status_code == 200
