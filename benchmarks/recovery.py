"""kill -9 of the control and of the web process of a treating room whose substitutes wait: how long
until the pages are told again, and what the new process needed of a processor.

    PYTHONPATH=. python benchmarks/recovery.py [TIMES]
"""

import os
import signal
import sys
import time

from tests.e2e.conftest import WARM
from tests.e2e.room import Client, DemoRoom, Json, client_of, demo_room
from tests.e2e.soak import look

PATIENCE_S = 60.0


def waiting(room: DemoRoom, module: str) -> int:
    """The substitute, as soon as it is loaded (it uses no processor any more)."""
    deadline, before_s = time.monotonic() + PATIENCE_S, -1.0
    while time.monotonic() < deadline:
        for pid in room.waiting(module):
            spent_s = look(pid, 0.0).cpu_s
            if spent_s == before_s:
                return pid
            before_s = spent_s
        time.sleep(1.0)
    raise AssertionError(f"no substitute for {module}")


def measured(room: DemoRoom, client: Client, module: str) -> tuple[float, float]:
    """Seconds until a snapshot of another connection (web) or process (control), and of CPU."""
    substitute = waiting(room, module)
    before_s = look(substitute, 0.0).cpu_s
    boot = client.messages[-1][1]["boot"]
    os.kill(room.pid(module), signal.SIGKILL)
    struck = time.monotonic()

    def is_back(message: Json) -> bool:
        other = module == "service.web" or message["boot"] != boot
        return message["type"] == "snapshot" and other

    while not (back := [at for at, m in list(client.messages) if at > struck + 0.1 and is_back(m)]):
        assert time.monotonic() < struck + PATIENCE_S, f"{module} does not come back"
        time.sleep(0.005)
    return back[0] - struck, look(substitute, 0.0).cpu_s - before_s


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with demo_room(1.0, WARM) as room, client_of(room) as client:
        client.to_heat_up()
        for module in ("service.control", "service.web"):
            for _ in range(times):
                back_s, cpu_s = measured(room, client, module)
                print(
                    f"{module}: told again after {back_s:.2f} s, {cpu_s:.2f} s of CPU", flush=True
                )


if __name__ == "__main__":
    main()
