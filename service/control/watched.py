"""The control process's end of the supervisor's socket: proof of work out, presence in."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from service.core.drives import safe_pump_ml_min
from service.core.state import State
from service.wire import WireError, pack, read_message

RETRY_S = 0.5


class Watched:
    """Connects to the supervisor for ever; `on_present(bool)` says when it is there or gone,
    `on_act(text)` what it did or was asked."""

    def __init__(
        self, path: Path, on_present: Callable[[bool], None], on_act: Callable[[str], None]
    ) -> None:
        self._path = path
        self._on_present = on_present
        self._on_act = on_act
        self._writer: asyncio.StreamWriter | None = None

    def beat(self, state: State) -> None:
        """Say how far the work has come, and what may be left running if this process dies now."""
        if self._writer is None or self._writer.is_closing():
            return
        message = {
            "type": "beat",
            "processed": state.processed,
            "pump_ml_min": safe_pump_ml_min(state),
            "heater_ours": state.heater.touched,
            "treating": state.session is not None,
        }
        self._writer.write(pack(message))

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._path)
                self._on_present(True)
                while (message := await read_message(reader)) is not None:
                    self._on_act(str(message.get("act", "")))
            except (OSError, WireError):
                pass
            finally:
                self._drop()
            self._on_present(False)
            await asyncio.sleep(RETRY_S)

    def _drop(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.transport.abort()
