"""Displays as the control process hears of them: only what changes becomes an event."""

import pytest

from service.control.displays import HIDDEN, SILENT_S, Watch
from service.core.events import DisplayChanged
from service.core.model import PersonRole
from service.wire import DisplayHeard, Displays
from tests.core.bench import Bench, at


def heard(*names: str, audible: bool = True, hidden: tuple[str, ...] = ()) -> Displays:
    found = {n: DisplayHeard(role=PersonRole.ANESTHESIA, audible=audible) for n in names}
    return Displays(type="displays", heard=found, hidden=hidden)


class Watched:
    """The watch with a real core behind it."""

    def __init__(self) -> None:
        self.bench: Bench = at()
        self.told: list[DisplayChanged] = []
        self.watch = Watch(self._tell, 0.0)

    def _tell(self, event: DisplayChanged) -> None:
        self.told.append(event)
        self.bench.feed(event)

    def look(self, now_s: float, said: Displays | None = None) -> list[DisplayChanged]:
        self.told = []
        if said is not None:
            self.watch.heard(said, now_s)
        self.watch.look(self.bench.state, self.bench.now, now_s)
        return self.told


@pytest.mark.requirement("RC-169")
def test_only_a_change_is_told_and_a_silent_web_process_is_the_loss_of_all() -> None:
    room = Watched()
    assert [e.present for e in room.look(1.0, heard("perfusion", "anesthesia"))] == [True, True]
    assert room.look(1.4, heard("perfusion", "anesthesia")) == []
    (gone,) = room.look(1.8, heard("perfusion"))
    assert (gone.display, gone.present) == ("anesthesia", False)
    assert room.look(1.8 + SILENT_S) == []
    (silent,) = room.look(1.9 + SILENT_S)
    assert (silent.display, silent.present) == ("perfusion", False)
    assert room.look(2.5 + SILENT_S) == []
    assert room.look(3.0 + SILENT_S, heard("perfusion"))[0].present


@pytest.mark.requirement("RC-169")
def test_a_page_that_nobody_can_see_is_no_display() -> None:
    room = Watched()
    room.look(1.0, heard("perfusion"))
    (gone,) = room.look(1.4, heard(hidden=("perfusion",)))
    assert (gone.present, gone.reason) == (False, HIDDEN)


def test_sound_that_comes_and_goes_is_told() -> None:
    room = Watched()
    room.look(1.0, heard("perfusion", audible=False))
    (on,) = room.look(1.4, heard("perfusion"))
    assert on.audible and room.bench.state.displays["perfusion"].armed
