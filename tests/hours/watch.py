"""What must hold in every second of a room, whatever happens, and of its record at the end."""

from contextlib import closing

from service.core.effects import AlarmChanged, PhaseChanged
from service.core.model import Controller, Role, Validity
from service.core.session import step
from service.journal.codec import CODEC
from service.journal.comparing import compare
from service.journal.replay import recover
from service.journal.rows import ROOM
from service.journal.store import open_reading
from service.journal.verify import verify_chain
from simulator.plant import SITES
from tests.hours.chance import Chance
from tests.hours.room import HourRoom

OFF_WITHIN_S = 20
"""A heater that the core wants off, on a line that works, is off within so long."""

LONGEST_TOLD = 1_000
PROBED = frozenset(
    {"inflow_isolate", "inflow_high", "site_ceiling", "site_hot", "core_ceiling", "core_high"}
)


class Broken(AssertionError):
    """Something that must always hold did not; the text says when, in which seed and what."""


class Watch:
    """Looks at a room after every second and raises `Broken`."""

    def __init__(self, seed: int, chance: Chance) -> None:
        self._seed = seed
        self._chance = chance
        self._wanted_off = 0

    def look(self, room: HourRoom) -> None:
        """After one second."""
        effects, room.effects = room.effects, []
        self._clocks_add_up(room)
        self._nothing_is_cleared_by_silence(room, effects)
        self._off_is_off(room)
        self._ceilings_hold(room)

    def _must(self, holds: bool, room: HourRoom, what: str) -> None:
        if not holds:
            where = f"seed {self._seed}, {room.now_s:.0f} s, {room.phase}"
            raise Broken(f"{where}: {what[:LONGEST_TOLD]}")

    def _clocks_add_up(self, room: HourRoom) -> None:
        session = room.state.session
        if session is None:
            return
        clocks = session.clocks
        parts_s = clocks.in_band_s + clocks.out_of_band_s + clocks.unobserved_s
        told = f"clocks: {parts_s} of {clocks.elapsed_s}"
        self._must(abs(parts_s - clocks.elapsed_s) < 1e-3, room, told)

    def _nothing_is_cleared_by_silence(self, room: HourRoom, effects: list) -> None:
        if any(isinstance(effect, PhaseChanged) for effect in effects):
            return
        for effect in effects:
            cleared = isinstance(effect, AlarmChanged) and effect.event == "cleared"
            if not cleared or effect.id not in PROBED:
                continue
            sample = room.state.samples.get(effect.source)
            valid = sample is None or sample.validity in (Validity.VALID, Validity.QUESTIONABLE)
            self._must(valid, room, f"{effect.id} of {effect.source} was cleared by {sample}")

    def _off_is_off(self, room: HourRoom) -> None:
        """Counts only seconds in which nothing is wrong with the heater's own line."""
        line = room.simulated.devices["heater"]
        faulty = bool(line.describe()["faults"])
        heater = room.state.heater
        off = room.state.session is not None and heater.touched and heater.wanted is None
        self._wanted_off = self._wanted_off + 1 if off and not faulty and room.heater_runs else 0
        self._must(
            self._wanted_off <= OFF_WITHIN_S, room, "the heater runs against the core's word"
        )

    def _ceilings_hold(self, room: HourRoom) -> None:
        """Automatic, without any fault so far, never passes a ceiling."""
        session = room.state.session
        if session is None or self._chance.disturbed_s is not None:
            return
        if session.heat.controller is not Controller.AUTOMATIC:
            return
        plant, limits = room.plant, session.limits
        self._must(plant.probe_c(Role.INFLOW) <= limits.inflow_ceiling_c, room, "inflow too hot")
        hottest_c = max(plant.probe_c(site) for site in SITES)
        self._must(hottest_c <= limits.site_ceiling_c, room, f"a site at {hottest_c:.2f} °C")

    def record(self, room: HourRoom, *, replays: bool) -> None:
        """The record of a room that has ended: whole, signed, and the state that it gives back;
        with `replays` also whether the core would do it all again, which costs as much again."""
        with closing(open_reading(room.recorder.url)) as store:
            for chain in store.chains():
                findings = verify_chain(store, chain).findings
                self._must(not findings, room, f"{chain}: {findings[:3]}")
                if chain == ROOM or not replays:
                    continue
                unlike = [str(each) for each in compare(store.rows(chain), step)]
                self._must(not unlike, room, f"{chain} replayed otherwise: {unlike[:2]}")
            session = room.state.session
            if session is not None:
                again = recover(store, session.id, step)
                same = CODEC.encode(again) == CODEC.encode(room.state)
                self._must(same, room, "the recovered state is another")
        self._must(not room.recorder.troubles, room, f"troubles: {room.recorder.troubles}")
