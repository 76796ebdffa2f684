"""What one reading says of itself as it arrives: in its range, and no faster than its probe can be.

A bad reading is questionable at once, so that band and heat do not use it; several of the last few
are a doubt of the channel, and an alarm. Ceilings look at questionable readings too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite

from protocols import schema
from service.core import channels
from service.core.changing import maker, replace
from service.core.events import Frame
from service.core.model import Instant, Mode, Reading, Role, Room, Sample, Unit, Validity
from service.core.samples import Samples
from service.core.state import State
from service.core.trust.memory import Check, Doubt, Suspect, Trust
from service.core.trust.standing import (
    counted,
    kept,
    limits_of,
    raw_values,
    watched,
    with_suspect,
)

RANGES: Mapping[Unit, str] = {
    Unit.DEG_C: "fluid_range_c",
    Unit.MMHG: "pressure_range_mmhg",
    Unit.ML_MIN: "flow_range_ml_min",
    Unit.ML: "level_range_ml",
}
"""The field of a protocol's `trust` that says what is plausible for a unit (core has its own)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What a reading of one channel can be: its range, its speed, and a step that needs no look."""

    low: float
    high: float
    per_s: float
    step: float


def sampled(state: State, frame: Frame) -> tuple[Samples, Trust]:
    """The room's samples with this frame's readings, and what stands against its channels."""
    samples, trust = channels.rewritten(state, frame), state.trust
    mode, at, lost = state.room.mode, frame.at, False
    expects = expected(state.room, limits_of(state)) if watched(state) else {}
    suspects = trust.suspects
    for reading in frame.readings:
        name, value, validity = reading.channel, reading.value, reading.validity
        if value is None or not isfinite(value):
            sample = _without_value(mode, at, reading)
            value, lost = None, True
        else:
            sample = MAKE_SAMPLE(name, value, reading.unit, validity, mode, at, reading.reason)
            lost = lost or validity is not Validity.VALID
        expect = expects.get(name)
        if expect is not None:
            before = samples.get(name)
            last = None if before is None else before.value
            if value is None:
                calm = last is None
            else:
                calm = expect.low <= value <= expect.high and (
                    last is None or -expect.step <= value - last <= expect.step
                )
            if not calm or name in suspects:
                sample, suspects = _judged(state, suspects, expect, before, sample)
                lost = lost or sample.validity is not Validity.VALID
        samples[name] = sample
    samples.lost = lost
    return samples, trust if suspects is trust.suspects else replace(trust, suspects=suspects)


def doubted(sample: Sample, reason: str) -> Sample:
    """The sample marked as questionable, unless its device has said so already."""
    if sample.validity is not Validity.VALID:
        return sample
    return replace(sample, validity=Validity.QUESTIONABLE, reason=reason)


def expected(room: Room, limits: schema.Trust) -> Mapping[str, Expect]:
    """What each channel's readings can be; switches, shares and speeds are not judged."""
    return channels.once(room, "expected", limits, _expected)


def _expected(room: Room, limits: schema.Trust) -> Mapping[str, Expect]:
    found = {}
    for channel in room.channels:
        name = "core_range_c" if channel.role is Role.CORE else RANGES.get(channel.unit)
        if name is None:
            continue
        low, high = getattr(limits, name)
        per_s = inf
        if channel.unit is Unit.DEG_C:
            core = channel.role is Role.CORE
            per_s = limits.core_slew_c_per_s if core else limits.fluid_slew_c_per_s
        step = per_s * max(1.0, channel.interval_s * room.speed)
        found[channel.id] = Expect(low=low, high=high, per_s=per_s, step=step)
    return found


MAKE_SAMPLE = maker(Sample)


def _without_value(mode: Mode, at: Instant, reading: Reading) -> Sample:
    """A reading that tells nothing; one that is no number is invalid, whatever its device says."""
    none = reading.value is None
    return Sample(
        channel=reading.channel,
        value=None,
        unit=reading.unit,
        validity=reading.validity if none else Validity.INVALID,
        mode=mode,
        at=at,
        reason=reading.reason if none else "not a number",
    )


def _judged(
    state: State,
    suspects: Mapping[str, Suspect],
    expect: Expect,
    before: Sample | None,
    sample: Sample,
) -> tuple[Sample, Mapping[str, Suspect]]:
    suspect = suspects.get(sample.channel, Suspect())
    if suspect.losses_s or sample.value is None:
        suspect = _with_contact(state, suspect, before, sample)
    if sample.value is not None:
        suspect = _with_good(state, suspect, before, sample)
        suspect, found = _counted(state, suspect, _bad(state, expect, suspect, sample))
    else:
        found = None
    after = with_suspect(suspects, sample.channel, suspect)
    doubts = after[sample.channel].doubts if sample.channel in after else ()
    reason = found.text if found else doubts[0].text if doubts else ""
    return (doubted(sample, reason) if reason else sample), after


def _counted(state: State, suspect: Suspect, found: Doubt | None) -> tuple[Suspect, Doubt | None]:
    """The suspect with this reading counted, bad or good."""
    bad, of = limits_of(state).readings_bad_of
    bits = counted(suspect.readings, found is not None, of)
    doubts = suspect.doubts
    if found is not None and bits.bit_count() >= bad:
        doubts = kept(doubts, found)
    return replace(suspect, readings=bits, doubts=doubts), found


def _with_contact(state: State, suspect: Suspect, before: Sample | None, sample: Sample) -> Suspect:
    """A value that is lost again and again is a bad contact, until it has been there for long."""
    limits, now_s = limits_of(state), state.treat_s
    losses = suspect.losses_s
    if sample.value is None and before is not None and before.value is not None:
        losses = (*losses, now_s)
    window_s = limits.contact_s if len(losses) >= limits.contact_losses else limits.contact_within_s
    if sample.value is not None and losses and now_s - losses[-1] > window_s:
        losses = ()
    losses = tuple(s for s in losses if now_s - s <= limits.contact_within_s) or losses[-1:]
    doubts = suspect.doubts
    if len(losses) >= limits.contact_losses:
        name = channels.named(state.room, sample.channel)
        text = f"{name} comes and goes: lost {len(losses)} times within {now_s - losses[0]:.0f} s"
        doubts = kept(doubts, Doubt(check=Check.CONTACT, text=text))
    return replace(suspect, losses_s=losses, doubts=doubts)


def _with_good(state: State, suspect: Suspect, before: Sample | None, sample: Sample) -> Suspect:
    """The last reading that was good: the one before, unless that was bad itself."""
    if suspect.readings & 1:
        return suspect
    if before is None or before.value is None:
        return replace(suspect, good=None)
    ago_s = sample.at.seconds_since(before.at) * state.room.speed
    return replace(suspect, good=before.value, good_s=state.treat_s - ago_s)


def _bad(state: State, expect: Expect, suspect: Suspect, sample: Sample) -> Doubt | None:
    """What is wrong with this reading; None when nothing is."""
    value, unit = sample.value, channels.UNIT_TEXTS[sample.unit]
    if value is None:
        return None
    name = channels.named(state.room, sample.channel)
    if not expect.low <= value <= expect.high:
        text = (
            f"{name} reads {value:.1f} {unit}, which cannot be "
            f"({expect.low:g} to {expect.high:g}): {raw_values(state, sample)}"
        )
        limit = expect.high if value > expect.high else expect.low
        return Doubt(check=Check.RANGE, text=text, value=value, limit=limit)
    if suspect.good is None:
        return None
    passed_s = max(1.0, state.treat_s - suspect.good_s)
    moved = value - suspect.good
    if abs(moved) <= expect.per_s * passed_s:
        return None
    text = (
        f"{name} jumped by {moved:+.1f} {unit} in {passed_s:.0f} s, faster than a probe can: "
        f"{raw_values(state, sample)}"
    )
    return Doubt(check=Check.JUMP, text=text, value=value, limit=suspect.good)
