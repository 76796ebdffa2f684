"""The core's one function: `step(state, event) -> (state, effects)`.

Each pass: time moves the clocks, the event is folded in, every armed rule looks, alarms and
interlocks follow, then heat and drives. Effects come out in the order in which they must happen:
make safe first, then record, then other actuators, then publish.
"""

from collections.abc import Mapping

from service.core import (
    alarm_table,
    alarms,
    channels,
    clocks,
    commands,
    control,
    core_course,
    displays,
    dose,
    drives,
    following,
    foresight,
    heater_check,
    interlocks,
    looking,
    timely,
    volumes,
)
from service.core.changing import replace
from service.core.effects import (
    AlarmChanged,
    CommandChanged,
    ContactorDrop,
    ContactorHold,
    Effect,
    HeaterOff,
    HeaterRun,
    PhaseChanged,
    PumpRun,
    PumpStop,
    Recorded,
)
from service.core.events import (
    Command,
    DisplayChanged,
    Durability,
    Event,
    Frame,
    HostNoticed,
    LinkChanged,
    Outcome,
    Rejected,
    Sent,
    Shown,
    Started,
    SupervisorAct,
    SupervisorLink,
    Tick,
)
from service.core.model import (
    Controller,
    Instant,
    LinkState,
    Role,
)
from service.core.samples import Samples
from service.core.state import Block, Drive, Link, Noted, Session, Side, State, Status
from service.core.trust import frames, looks
from service.core.trust.memory import Past, Trust

KEPT_NOTES = 50

ORDER: Mapping[type[Effect], int] = {
    HeaterOff: 0,
    PumpStop: 0,
    ContactorDrop: 0,
    ContactorHold: 2,
    HeaterRun: 2,
    PumpRun: 2,
}
"""Effects not named here are records (1) or published (3)."""
PUBLISHED = (AlarmChanged, PhaseChanged, CommandChanged)


def initial(event: Started) -> State:
    """The state of a room that has just started: nothing is known of it yet."""
    links = {
        device.name: Link(state=LinkState.OPENING, since=event.at) for device in event.room.devices
    }
    return State(
        room=event.room,
        boot=event.boot,
        now=event.at,
        version=event.version,
        core=event.core,
        links=links,
    )


def step(state: State, event: Event) -> tuple[State, list[Effect]]:
    """Fold one event into the state; see the module's text for the order of things."""
    before = state
    why = timely.objection(state, event)
    now, dt_real_s = (state.now, 0.0) if why else _passed(state, event)
    treat_s = state.treat_s + dt_real_s * state.room.speed
    stepped = timely.wall_clock_step(state, event) or state.stepped
    state = replace(state, now=now, processed=state.processed + 1, treat_s=treat_s, stepped=stepped)
    state, effects = clocks.advance(state, dt_real_s)
    state, folded = _fold(state, event)
    effects += folded
    if why:
        text = f"{type(event).__name__} taken as of now: it was {why}"
        effects.append(Recorded(at=now, kind="bad_input", text=text))
    sight = looking.look(before, state, event)
    if sight.found or state.alarms:
        state, changed = alarms.advance(state, alarm_table.judge(state, sight.found))
        effects += changed
    state, blocked = interlocks.respond(state)
    effects += blocked
    if control.decides(before, state, event):
        state = foresight.advance(heater_check.advance(state))
        state, latched = control.advance(state)
        effects += latched
        state, ordered = drives.issue(state)
        effects += ordered
    state, followed = following.follow(before, state)
    effects += followed
    if effects:
        state, effects = _noted(state, effects), sorted(effects, key=_place)
    return looking.remembered(state, sight), effects


def _passed(state: State, event: Event) -> tuple[Instant, float]:
    """Where time stands now, and the real seconds since the event before.

    Monotonic time decides and never goes back; only across a boot of the machine, where it begins
    anew, the UTC labels have to do. A reading that says it comes from the future moves no clock.
    """
    passed_s = event.at.seconds_since(state.now)
    if passed_s > frames.FUTURE_S and isinstance(event, Frame):
        return state.now, 0.0
    if passed_s >= 0:
        return event.at, passed_s
    if isinstance(event, Started):
        return event.at, max(0.0, (event.at.utc_ns - state.now.utc_ns) / 1e9)
    return state.now, 0.0


def _place(effect: Effect) -> int:
    return ORDER.get(type(effect), 3 if isinstance(effect, PUBLISHED) else 1)


def _fold(state: State, event: Event) -> tuple[State, list[Effect]]:
    match event:
        case Tick() | Sent() | Shown():
            return state, []
        case Frame():
            return _frame(state, event)
        case Command():
            return commands.handle(state, event)
        case Rejected():
            return state, [commands.reject(state, event)]
        case LinkChanged():
            return _linked(state, event), []
        case Outcome():
            return following.settled(drives.settle(state, event))
        case Durability():
            return replace(state, durable=event.durable, durable_reason=event.reason), []
        case SupervisorLink():
            return replace(state, supervised=event.present), []
        case DisplayChanged():
            return displays.changed(state, event)
        case HostNoticed():
            return displays.noticed(state, event)
        case SupervisorAct():
            return state, [Recorded(at=event.at, kind="supervisor", text=event.act)]
        case Started():
            return _restarted(state, event)


def _linked(state: State, event: LinkChanged) -> State:
    """A link that is not live counts from when it was last live, however often it tries again."""
    before = state.links.get(event.device)
    trying = before is not None and LinkState.LIVE not in (before.state, event.state)
    link = Link(
        state=event.state,
        since=before.since if before is not None and trying else event.at,
        reason=event.reason,
        identity=event.identity,
    )
    if before is not None and before.state is LinkState.LIVE is not event.state:
        state = frames.link_lost(state, event.device)
    return replace(state, links={**state.links, event.device: link})


def _frame(state: State, frame: Frame) -> tuple[State, list[Effect]]:
    newest = frames.newest(state, frame)
    if why := frames.wrong_time(state, frame, newest):
        return frames.refused(state, frame, why)
    state = _remembered(looks.read(frames.accepted(state, frame, newest), frame), frame)
    if (session := state.session) is not None:
        state = dose.remembered(volumes.remembered(state, session), session, frame.device)
        state = core_course.remembered(state, session)
    if frame.status is None:
        return state, []
    status = Status(at=frame.at, drive=frame.status)
    state = replace(state, statuses={**state.statuses, frame.device: status})
    return drives.heard(state, frame.device, frame.status), []


def _remembered(state: State, frame: Frame) -> State:
    """What rules need of the past: readings in a row at a site's ceiling, the pressure window."""
    session, known = state.session, channels.tables(state.room)
    if session is None or _tells_nothing(state, session):
        return state
    over, window = state.over_ceiling, state.iap_window
    for reading in frame.readings:
        role = known.roles.get(reading.channel)
        if role is not Role.SITE and role is not Role.IAP:
            continue
        sample = state.samples[reading.channel]
        value = sample.value if sample.validity in channels.BELIEVED_BY_CEILINGS else None
        if value is None:
            continue
        if role is Role.IAP:
            oldest_s = state.treat_s - session.limits.iap_warn_window_s
            kept = tuple([entry for entry in window if entry[0] >= oldest_s])
            window = (*kept, (state.treat_s, value))
        elif value >= session.limits.site_ceiling_c:
            over = {**over, reading.channel: over.get(reading.channel, 0) + 1}
        elif reading.channel in over:
            over = {name: count for name, count in over.items() if name != reading.channel}
    if over is state.over_ceiling and window is state.iap_window:
        return state
    return replace(state, over_ceiling=over, iap_window=window)


def _tells_nothing(state: State, session: Session) -> bool:
    """Whether this frame read no abdominal pressure, and every site is below its ceiling."""
    samples = state.samples
    if not isinstance(samples, Samples) or Role.IAP in samples.written or state.over_ceiling:
        return False
    return channels.figures(state, Role.SITE).all_below(session.limits.site_ceiling_c)


def _restarted(state: State, event: Started) -> tuple[State, list[Effect]]:
    """After any restart the loop is advisory and the heater off until a person confirms.

    What people were told starts anew too: no audio pause, acknowledgements and waits from now. An
    equal room stays the same object, which is what makes finding its channels quick.
    """
    waiting = {
        key: replace(alarm, active_since_ns=event.at.mono_ns, acked_ns=event.at.mono_ns)
        for key, alarm in state.alarms.items()
    }
    offline = replace(
        initial(event),
        room=state.room if state.room == event.room else event.room,
        treat_s=state.treat_s,
        processed=state.processed,
        occurrences=state.occurrences,
        alarms=waiting,
        commands=state.commands,
        notes=state.notes,
        past_alarms=state.past_alarms,
        dose=state.dose if state.session is None else dose.settled(state, state.session),
        trust=Trust(suspects=state.trust.suspects),
        past=Past(usual_k=state.past.usual_k),
        balance_window=state.balance_window,
        displays=state.displays,
    )
    session = state.session
    if session is None:
        return offline, []
    heat = replace(session.heat, controller=Controller.ADVISORY, missing_since=None)
    side = Side.HEAT_HOLD if session.side is Side.NONE else session.side
    restored = replace(
        offline,
        session=replace(session, heat=heat, side=side, blocks=_blocks_after(state, session)),
        heater=Drive(touched=True, order=state.heater.order),
        pump=replace(state.pump, held=True, ordered=None, settled=event.at),
        contactor=Drive(touched=state.contactor.touched, order=state.contactor.order),
    )
    text = "Control process restarted: heater off, pump as it was; a person has to resume"
    return restored, [Recorded(at=event.at, kind="restart", text=text)]


def _blocks_after(state: State, session: Session) -> Mapping[str, Block]:
    """What still keeps off after a restart: contactors opened meanwhile, a person closes them."""
    if not state.contactor.touched:
        return session.blocks
    opened = Block(
        cause=interlocks.CONTACTORS_OPEN,
        text="Contactors opened while the control process was away",
        heat=True,
        pump=True,
        since_s=state.treat_s,
    )
    return {**session.blocks, opened.cause: opened}


def _noted(state: State, effects: list[Effect]) -> State:
    """Keep the newest lines of the record for the page."""
    lines = [noted for effect in effects if (noted := _line(effect))]
    if not lines:
        return state
    return replace(state, notes=(*state.notes, *lines)[-KEPT_NOTES:])


def _line(effect: Effect) -> Noted | None:
    match effect:
        case Recorded(kind="automatic" | "automatic_conditions"):
            return None
        case Recorded():
            return Noted(at=effect.at, kind=effect.kind, text=effect.text, by=effect.by)
        case PhaseChanged():
            return Noted(at=effect.at, kind="phase", text=effect.to_phase, by=effect.by)
        case AlarmChanged(event="onset"):
            return Noted(at=effect.at, kind="alarm", text=effect.text)
    return None
