"""The newest sample of each channel, with what follows from them by role.

Figures are reckoned once and kept until a frame reads their role, or a sample grows too old. They
follow from the samples and the time alone; a plain mapping (from the journal) gives the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.core.model import Role, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a role's channels show now, in their order: the fresh valid values, the fresh valid or
    questionable ones, the highest of these, and whether every channel has one."""

    valid: tuple[float, ...]
    believed: tuple[float, ...]
    highest: float | None
    complete: bool

    def all_below(self, limit: float) -> bool:
        """Whether every channel of the role has a value, and all are below the limit."""
        return self.complete and (self.highest is None or self.highest < limit)


Flows = tuple[float | None, float | None]
"""The measured and the calculated flow (ml/min), None where it is not known."""


class Samples(dict[str, Sample]):
    """The newest sample of each channel by its id; never changed once it is in a state.

    `figures` and `flows` hold between `from_ns` and `until_ns` (monotonic, both included).
    `written` are the roles that the newest frame read, `lost` says that one of its readings is not
    valid.
    """

    __slots__ = ("figures", "flows", "from_ns", "lost", "until_ns", "written")
    figures: dict[Role, Figures]
    flows: Flows | None
    from_ns: int
    until_ns: int
    written: frozenset[Role]
    lost: bool


def renewed(samples: Mapping[str, Sample], roles: frozenset[Role], until_ns: int) -> Samples:
    """A copy to write new samples of these roles to, before it comes into a state.

    `until_ns` is when the first of the new ones grows old.
    """
    now = Samples(samples)
    now.written, now.lost, now.flows = roles, False, None
    if isinstance(samples, Samples):
        now.figures = dict(samples.figures)
        for role in roles:
            now.figures.pop(role, None)
        if Role.FLOW not in roles:
            now.flows = samples.flows
        now.from_ns, now.until_ns = samples.from_ns, min(samples.until_ns, until_ns)
    else:
        now.figures, now.from_ns, now.until_ns = {}, 0, -1
    return now
