"""`hipec devices traffic`: the last 60 s on a device's line, from the room that uses it now."""

import socket
from pathlib import Path

from service.control.traffic import traffic_folder, traffic_socket
from service.devices.bench import BenchError

PATIENCE_S = 5.0
READ_BYTES = 65536


def traffic_text(site: Path, device: str) -> str:
    """A recording for `hipec devices replay`; raises `BenchError` where there is none to be had."""
    path = traffic_socket(site)
    try:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(PATIENCE_S)
            asked.connect(str(path))
            asked.sendall(f"{device}\n".encode())
            told = b"".join(iter(lambda: asked.recv(READ_BYTES), b"")).decode()
    except PermissionError:
        raise BenchError(f"{path} may not be opened; ask as the service's own user") from None
    except OSError as error:
        raise BenchError(
            f"the room of {site} does not answer ({error}); is it served? {_kept(site, device)}"
        ) from None
    if not told.startswith("{"):
        raise BenchError(told or f"{device}: nothing came back")
    return told


def _kept(site: Path, device: str) -> str:
    folder = traffic_folder(site) / device
    kept = sorted(folder.glob("*.jsonl"))
    if not kept:
        return f"nothing was kept in {folder}"
    return f"what was kept when it was last in trouble is {kept[-1]}"
