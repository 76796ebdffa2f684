"""Puts who came in, and every change of accounts, into the room's chain, from outside the service.

While the room is served its control process writes the record and is told; otherwise it is
written here.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from service.accounts.people import AccountsError
from service.core.model import Instant
from service.journal.rows import ROOM, Access, JournalError
from service.journal.store import open_writing
from service.journal.writer import Writer
from service.runtime import CONTROL, holder_of, runtime_folder
from service.wire import AccessTold, pack

CONNECT_S = 5.0


def tell(site: Path, url: str, told: Sequence[AccessTold]) -> None:
    """Put these on record. Raises AccountsError when that cannot be done."""
    folder = runtime_folder(site)
    try:
        if holder_of(folder / CONTROL) is not None:
            _send(folder / "control", told)
        else:
            _write(url, told)
    except (OSError, JournalError) as error:
        raise AccountsError(
            f"Nothing was changed, because it cannot be put on record: {error}"
        ) from error


def _send(path: Path, told: Sequence[AccessTold]) -> None:
    hello = pack({"type": "hello", "lane": "main"})
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CONNECT_S)
        connection.connect(str(path))
        connection.sendall(hello + b"".join(pack(each.model_dump(mode="json")) for each in told))
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while connection.recv(65536):  # until the control process has taken all and hangs up
                pass


def _write(url: str, told: Sequence[AccessTold]) -> None:
    at = Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())
    with closing(open_writing(url)) as store:
        writer = Writer(store, on_durable=lambda _: None, on_trouble=lambda _: None)
        for each in told:
            writer.append(ROOM, (Access(at=at, **each.model_dump(mode="json", exclude={"type"})),))
        if writer.close():
            raise JournalError(f"the journal {store.where} cannot be written.")
