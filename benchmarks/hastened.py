"""A control side that says the 90 minutes of a treatment as fast as a page can follow.

No program: `page.py` starts it. Twelve temperatures of two devices, one frame of each a second of
treatment, a snapshot every ten, and an event every three minutes.
"""

import asyncio
import math
import sys
from pathlib import Path
from typing import Any

from feeding import Feeder

from tests.web.control_side import state

MINUTES = 90
MINUTE_TAKES_S = 0.5
NOISE_C = 0.02
SITES = ("pelvis", "liver", "spleen", "left_flank", "right_flank", "small_bowel", "bladder", "gate")
CIRCUIT = ("inflow", "outflow", "reservoir", "core")


class Hastened(Feeder):
    """Speaks at once, and of the treatment when asked to `go_on`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._second = 0
        self._events: list[dict[str, Any]] = []

    async def _heartbeats(self) -> None:
        for number in range(sys.maxsize):
            if "main" in self.writers:
                self.say("heartbeat", processed=number)
            await asyncio.sleep(1.0)

    async def go_on(self, until_min: int) -> None:
        """Say the treatment up to this minute."""
        while self._second < 60 * until_min:
            for _ in range(6):
                self._ten_seconds()
                await asyncio.sleep(MINUTE_TAKES_S / 6)

    def _ten_seconds(self) -> None:
        if self._second % 180 == 0:
            utc = f"2026-01-01T{10 + self._second // 3600}:{self._second // 60 % 60:02}:00Z"
            self._events.append({"at_utc": utc, "kind": "drug", "text": "Fraction", "by": "A"})
        self.say("snapshot", state=self._state())
        for _ in range(10):
            self._second += 1
            for device, names in (("sites", SITES), ("circuit", CIRCUIT)):
                self.say("frame", device=device, at_ns=self._at_ns, at_utc=self._utc,
                         channels={name: self._reading(name) for name in names})  # fmt: skip

    @property
    def _at_ns(self) -> int:
        return (1000 + self._second) * 1_000_000_000

    @property
    def _utc(self) -> str:
        s = self._second
        return f"2026-01-01T{10 + s // 3600}:{s // 60 % 60:02}:{s % 60:02}Z"

    def _reading(self, name: str) -> dict[str, Any]:
        place = (SITES + CIRCUIT).index(name)
        slow, noise = math.sin(self._second / 300 + place), math.sin(self._second * (place + 1))
        value = 41 + place / 4 + slow + NOISE_C * noise
        return {"value": round(value, 2), "unit": "degC", "validity": "valid"}

    def _state(self) -> dict[str, Any]:
        said = state()
        like = said["channels"]["pelvis"] | {"at_ns": self._at_ns, "at_utc": self._utc}
        channels = {name: like | self._reading(name) | {"site": name} for name in SITES}
        for name in CIRCUIT:
            role = {"role": name, "site": "", "device": "circuit"}
            channels[name] = like | self._reading(name) | role
        now = {"at_ns": self._at_ns, "at_utc": self._utc, "speed": 1.0, "channels": channels}
        return said | now | {"events": list(self._events)}
