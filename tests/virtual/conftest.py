"""One virtual treatment, run to heat-up once; tests continue copies of it."""

from functools import cache

import pytest

from protocols.loader import SHIPPED, load
from service.virtual.session import Setup, VirtualSession


@cache
def heated() -> VirtualSession:
    session = VirtualSession(Setup(protocol=load(SHIPPED / "closed-mmc-90.toml")))
    return session.run_until(lambda s: s.phase == "heat_up" and s.plant.now_s > 200.0)


@pytest.fixture
def room() -> VirtualSession:
    """A virtual room of its own, some seconds into heat-up."""
    return heated().copy()
