"""`python -m service.web`: the web process, with its settings as JSON in `HIPEC_WEB`.

Prints one line of JSON on standard output, `{"ready": "http://host:port"}`, when it answers.
"""

import json
import logging
import os
import socket
import sys
import time
from pathlib import Path

import uvicorn
from pydantic import ValidationError

from service.runtime import CONTROL, WEB, Lock, RuntimeFolderError, holder_of
from service.web.app import create_app
from service.web.frames import FrameConnection
from service.web.settings import Settings

ANSWERED = "ASGI callable returned without completing handshake."
"""What uvicorn says of a WebSocket that was refused with an answer; we have said why already."""

USER_TIMEOUT_MS = 3000
"""A page that takes nothing for so long is dropped, and comes back by itself (RFC 5482)."""


ALONE_S = 60.0
"""A web process whose supervisor has died ends so long after there is no control process either."""


class Server(uvicorn.Server):
    """The server, which says when it answers, and ends when it is left behind."""

    def __init__(self, config: uvicorn.Config, control: Path) -> None:
        super().__init__(config)
        self._parent = os.getppid()
        self._control = control
        self._needed_at = time.monotonic()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; True ends the server."""
        if counter % 10 == 0 and (os.getppid() == self._parent or holder_of(self._control)):
            self._needed_at = time.monotonic()
        return await super().on_tick(counter) or time.monotonic() - self._needed_at > ALONE_S

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so on standard output."""
        await super().startup(sockets)
        scheme = "https" if self.config.ssl else "http"
        print(json.dumps({"ready": f"{scheme}://{_address(sockets)}"}), flush=True)


def _address(sockets: list[socket.socket] | None) -> str:
    host, port, *_ = sockets[0].getsockname() if sockets else ("", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bind(settings: Settings) -> socket.socket:
    """The listening socket. Raises OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol left out, asyncio would not set TCP_NODELAY: 40 ms on every second write.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    listening.bind((settings.host, settings.port))
    return listening


def build_server(settings: Settings, listening: socket.socket) -> Server:
    """The server for this socket; a free port that was taken becomes part of the settings."""
    host, port = settings.listen.rpartition(":")[0], listening.getsockname()[1]
    bound = settings.model_copy(update={"listen": f"{host}:{port}"})
    config = uvicorn.Config(
        create_app(bound),
        ws=FrameConnection,
        ws_per_message_deflate=False,
        ws_max_size=4096,
        ws_ping_interval=5.0,
        ws_ping_timeout=5.0,
        timeout_graceful_shutdown=1,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    return Server(config, settings.socket.with_name(CONTROL))


def main() -> int:
    """Run until SIGTERM. Exit code 2: the settings or the address cannot be used."""
    logging.basicConfig(level=logging.INFO, format="web %(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").addFilter(lambda said: said.getMessage() != ANSWERED)
    try:
        settings = Settings.model_validate_json(os.environ.get("HIPEC_WEB", ""))
        lock = Lock(settings.socket.with_name(WEB))
        listening = bind(settings)
    except RuntimeFolderError as error:
        print(error, file=sys.stderr)
        return 2
    except ValidationError as error:
        print(f"HIPEC_WEB does not hold the web process's settings: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Cannot listen on {settings.listen}: {error.strerror}.", file=sys.stderr)
        return 2
    build_server(settings, listening).run(sockets=[listening])
    lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
