"""What the web process says of the enrolled displays, as events for the core: only what changes.

A web process that falls silent is the loss of every display; so a page, the network, the web
process and the link to it are all watched by one clock, the control process's own.
"""

from collections.abc import Callable

from service.core.events import DisplayChanged
from service.core.model import Instant
from service.core.state import State
from service.wire import DisplayHeard, Displays

SILENT_S = 1.0
"""The web process says twice a second who is there; after so long its word is no longer taken."""

HIDDEN, UNHEARD = "its page is hidden", "not heard for 2 s"


class Watch:
    """Compares what is heard with what the core knows; `tell(event)` is given each change."""

    def __init__(self, tell: Callable[[DisplayChanged], None], now_s: float) -> None:
        self._tell = tell
        self._said_s = now_s
        self._said = Displays(type="displays", heard={})

    def heard(self, said: Displays, now_s: float) -> None:
        """The web process has said who is there."""
        self._said, self._said_s = said, now_s

    def look(self, state: State, at: Instant, now_s: float) -> None:
        """Tell the core of every display that came, went or changed since."""
        silent = now_s - self._said_s > SILENT_S
        heard = {} if silent else self._said.heard
        hidden = () if silent else self._said.hidden
        for name in {**state.displays, **heard}:
            if name in heard and name not in hidden:
                self._there(state, name, heard[name], at)
            elif (known := state.displays.get(name)) is not None and known.present:
                reason = HIDDEN if name in hidden else UNHEARD
                self._tell(
                    DisplayChanged(
                        at=at,
                        display=name,
                        role=known.role,
                        present=False,
                        audible=False,
                        reason=reason,
                    )
                )

    def _there(self, state: State, name: str, one: DisplayHeard, at: Instant) -> None:
        known = state.displays.get(name)
        if known is not None and known.present and known.audible is one.audible:
            return
        self._tell(
            DisplayChanged(at=at, display=name, role=one.role, present=True, audible=one.audible)
        )
