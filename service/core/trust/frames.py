"""What frames say of their device: answers spoiled on the way, and times that are wrong."""

from collections.abc import Iterator

from service.core import channels
from service.core.alarms import Finding
from service.core.changing import replace
from service.core.effects import Effect, Recorded
from service.core.events import Frame
from service.core.model import Instant
from service.core.state import State
from service.core.trust.memory import Spoiled, Trust
from service.core.trust.standing import counted, limits_of

FUTURE_S = 5.0
"""A stamp that is further ahead than this is wrong: a tick moves the time ten times a second."""

FEWEST_SPOILED = 3


def wrong_time(state: State, frame: Frame, newest: Instant | None) -> str:
    """Why a frame's time cannot be; empty when it can. `state.now` is the time before it."""
    ahead_s = frame.at.seconds_since(state.now)
    if ahead_s > FUTURE_S:
        return f"{frame.device}: a reading from {ahead_s:.0f} s in the future was not used"
    if newest is not None and frame.at.mono_ns < newest.mono_ns:
        late_s = newest.seconds_since(frame.at)
        return f"{frame.device}: a reading {late_s:.1f} s older than the one before was not used"
    return ""


def newest(state: State, frame: Frame) -> Instant | None:
    """When the channels of this frame were read before."""
    for reading in frame.readings:
        sample = state.samples.get(reading.channel)
        if sample is not None:
            return sample.at
    return None


def refused(state: State, frame: Frame, why: str) -> tuple[State, list[Effect]]:
    """A frame that is not used: counted against its device, and recorded when it is the first."""
    bits = state.trust.stamps.get(frame.device, 0)
    fact = Recorded(at=state.now, kind="refused", text=why, data={"device": frame.device})
    return _stamped(state, frame.device, bad=True), [] if bits else [fact]


def accepted(state: State, frame: Frame, newest: Instant | None) -> State:
    """A frame that is used: its errors are counted, its good time, and a silence before it."""
    if newest is not None and _was_silent(state, frame, newest):
        state = link_lost(state, frame.device)
    if frame.device in state.trust.stamps:
        state = _stamped(state, frame.device, bad=False)
    if frame.errors or frame.device in state.trust.spoiled:
        state = replace(state, trust=_with_errors(state, frame))
    return state


def _was_silent(state: State, frame: Frame, newest: Instant) -> bool:
    """Whether a device gave no frame for too long while its link was there all the time."""
    if frame.at.mono_ns - newest.mono_ns <= channels.LEAST_GONE_NS:
        return False
    own, link = channels.of_device(state, frame.device), state.links.get(frame.device)
    if not own or link is None or link.since > newest:
        return False
    return frame.at.seconds_since(newest) > channels.gone_s(own[0])


def _stamped(state: State, device: str, *, bad: bool) -> State:
    _, of = limits_of(state).readings_bad_of
    stamps = {**state.trust.stamps, device: counted(state.trust.stamps.get(device, 0), bad, of)}
    stamps = {name: bits for name, bits in stamps.items() if bits}
    return replace(state, trust=replace(state.trust, stamps=stamps))


def _with_errors(state: State, frame: Frame) -> Trust:
    oldest_ns = state.now.mono_ns - int(1e9 * limits_of(state).frame_errors_s)
    spoiled = [s for s in state.trust.spoiled.get(frame.device, ()) if s.at_ns >= oldest_ns]
    if frame.errors:
        spoiled.append(Spoiled(at_ns=state.now.mono_ns, count=frame.errors))
    after = {**state.trust.spoiled, frame.device: tuple(spoiled)}
    return replace(state.trust, spoiled={name: kept for name, kept in after.items() if kept})


def errors(state: State) -> Iterator[Finding]:
    """More of a device's answers spoiled or missing within the last minute than a line should."""
    if not state.trust.spoiled:
        return
    limits = limits_of(state)
    oldest_ns = state.now.mono_ns - int(1e9 * limits.frame_errors_s)
    for device, spoiled in sorted(state.trust.spoiled.items()):
        count = sum(entry.count for entry in spoiled if entry.at_ns >= oldest_ns)
        share = count / (count + limits.frame_errors_s / _interval_s(state, device))
        if count >= FEWEST_SPOILED and share > limits.frame_errors_share:
            text = f"{device.capitalize()}: {count} answers spoiled or missing in a minute"
            limit = limits.frame_errors_share
            yield Finding(source=device, raw=True, text=text, value=share, limit=limit)


def _interval_s(state: State, device: str) -> float:
    return min((c.interval_s for c in channels.of_device(state, device)), default=1.0)


def stamps(state: State) -> Iterator[Finding]:
    """Several of a device's last frames came with a time that cannot be."""
    if not state.trust.stamps:
        return
    bad, _ = limits_of(state).readings_bad_of
    for device, bits in sorted(state.trust.stamps.items()):
        if bits.bit_count() >= bad:
            text = f"{device.capitalize()}: readings come out of order or from the future"
            yield Finding(source=device, raw=True, text=text)


LOSSES_NS = 60 * 10**9
STAYS_NS = 30 * 10**9
FEWEST_LOSSES = 2
"""Derived: lost twice within a minute, a link comes and goes until it has held for 30 s."""


def link_lost(state: State, device: str) -> State:
    """A live link has been lost, or its device was silent: remembered for a minute."""
    now_ns = state.now.mono_ns
    losses = state.trust.losses_ns.get(device, ())
    losses = (*(ns for ns in losses if now_ns - ns <= LOSSES_NS), now_ns)
    after = {**state.trust.losses_ns, device: losses}
    return replace(state, trust=replace(state.trust, losses_ns=after))


def comes_and_goes(state: State, device: str) -> bool:
    """Whether a device's link has been lost again and again, and has not held since."""
    losses = state.trust.losses_ns.get(device, ())
    return len(losses) >= FEWEST_LOSSES and state.now.mono_ns - losses[-1] <= STAYS_NS
