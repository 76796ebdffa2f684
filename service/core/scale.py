"""Whether the reservoir's scale follows what people move: a locked one hides leaks, and lies."""

from collections.abc import Iterator

from service.core import volumes
from service.core.alarms import Finding, is_signalled
from service.core.state import Session, State

FROM_ML, SHARE, AFTER_S = 100.0, 0.1, 60.0
"""An entry of so much moves a scale by at least a tenth of it, within a minute (derived)."""

BESIDE_THE_RESERVOIR = frozenset({"drained", "spill"})
"""Volumes that leave by another way than the reservoir."""


def stuck(state: State, session: Session) -> Iterator[Finding]:
    """The scale has read the same since minutes before a person moved a volume: locked, hung up.

    Whether the volume is moved first or written down first makes no difference.
    """
    window = state.balance_window
    if not volumes.is_known(state):
        if is_signalled(state, "scale_stuck", ""):
            yield Finding(source="", raw=None)
        return
    for moved in session.moved:
        if moved.ml < FROM_ML or moved.kind in BESIDE_THE_RESERVOIR:
            continue
        seen = window and window[0].at_s < moved.at_s <= window[-1].at_s - AFTER_S
        if not seen:
            continue
        about = [held.ml for held in window if held.at_s <= moved.at_s + 2 * AFTER_S]
        if max(about) - min(about) < SHARE * moved.ml:
            text = f"Reservoir scale has not moved though {moved.ml:.0f} ml were entered"
            yield Finding(source="", raw=True, text=text, value=moved.ml)
            return
