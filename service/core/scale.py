"""Whether the reservoir's scale follows what people move: a locked one hides leaks, and lies."""

from collections.abc import Iterator

from service.core.alarms import Finding
from service.core.ledger import IN
from service.core.state import Session, State

FROM_ML, SHARE, AFTER_S = 100.0, 0.1, 60.0
"""An entry of so much moves a scale by at least a tenth of it, within a minute (derived)."""

BESIDE_THE_RESERVOIR = frozenset({"drained", "spill"})
"""Volumes that leave by another way than the reservoir."""


def stuck(state: State, session: Session) -> Iterator[Finding]:
    """The scale still reads what it read before a person moved a volume: locked or hung up."""
    window = state.balance_window
    entries = [one for one in session.moved if one.kind not in BESIDE_THE_RESERVOIR]
    for moved in entries:
        before = [balance for balance in window if balance.at_s < moved.at_s]
        if moved.ml < FROM_ML or not before or window[-1].at_s - moved.at_s < AFTER_S:
            continue
        since = [one for one in entries if one.at_s > before[-1].at_s]
        net_ml = sum(one.ml if one.kind in IN else -one.ml for one in since)
        if abs(window[-1].ml - before[-1].ml + net_ml) < SHARE * abs(net_ml):
            text = f"Reservoir scale has not moved though {abs(net_ml):.0f} ml were entered"
            yield Finding(source="", raw=True, text=text, value=abs(net_ml))
            return
