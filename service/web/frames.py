"""WebSockets that take a frame ready made, so that one message costs each page only its write.

What uvicorn's own `send` does for each page (wake a task, build the frame, join it) is done once
for all of them: a page's handler finds the connection in its scope and hands it whole frames.
"""

from collections.abc import Callable
from typing import Any, Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

EXTENSION = "hipec.frames"
"""Where the scope of a WebSocket holds its `FrameSink`."""


def text_frame(text: str) -> bytes:
    """A text message as it goes over the network, for connections without extensions."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class FrameSink(Protocol):
    """What takes whole frames: one page's connection."""

    on_writable: Callable[[], None]

    def take(self, frame: bytes) -> bool:
        """Send a frame; False when the page has not read enough of what came before it."""


class FrameConnection(WebSocketsSansIOProtocol):
    """A connection that also takes whole frames; `on_writable` is called when it does again."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_writable: Callable[[], None] = _nobody_waits

    def handle_connect(self, event: Request) -> None:
        """Take the handshake in; its handler starts after this has returned."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = cast(dict[object, object], self)

    def take(self, frame: bytes) -> bool:
        """Send a frame; False when the page has not read enough, or is leaving."""
        if (
            not self.writable.is_set()
            or self.conn.state is not State.OPEN
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(frame)
        return True

    def resume_writing(self) -> None:
        """The page has read most of what waited for it."""
        super().resume_writing()
        self.on_writable()


def _nobody_waits() -> None:
    """No handler has asked to be told."""
