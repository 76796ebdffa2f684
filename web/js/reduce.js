/**
 * The pure reducer: a message, the page's state and the browser's time give the next state.
 * Nothing here reads a clock or the document.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./types.js").WireChannel} WireChannel
 * @typedef {import("./types.js").Alarm} Alarm
 * @typedef {import("./types.js").Command} Command
 */

const MESSAGE_VERSION = 1;
const COMMANDS_KEPT = 20;
/**
 * How much later than at best the room's news come is how old they are. Clocks of page and room run
 * apart by less than this share, so that a lag of hours is not made of it.
 */
const CLOCKS_APART = 0.001;
const RANK = { high: 0, medium: 1, low: 2 };

/** @returns {PageState} what is known before the first message: nothing. */
export function initialState() {
  return {
    id: "",
    mode: "",
    boot: "",
    seq: -1,
    snapshotSeq: -1,
    outdated: false,
    beatMs: null,
    snapshotMs: null,
    soonestMs: null,
    cameMs: null,
    lagMs: 0,
    you: null,
    room: null,
    channels: {},
    alarms: [],
    commands: [],
    asked: {},
  };
}

/**
 * @param {Message} message from the service, or `asked`, `failed` and `entry` from the controls
 * @param {PageState} state
 * @param {number} nowMs the browser's own clock (performance.now)
 * @returns {PageState}
 */
export function reduce(message, state, nowMs) {
  const local = LOCAL[message.type];
  if (local) return local(message, state);
  const handler = HANDLERS[message.type];
  if (!handler) return state;
  if (message.v !== MESSAGE_VERSION) return { ...state, outdated: true };
  const rebooted = message.boot !== undefined && message.boot !== state.boot;
  if (isOldEvent(message, state, rebooted)) return state;
  const next = handler(message, state, nowMs);
  return {
    ...next,
    id: message.room ?? next.id,
    mode: message.mode ?? next.mode,
    boot: message.boot ?? next.boot,
    seq: rebooted ? (message.seq ?? -1) : Math.max(state.seq, message.seq ?? -1),
  };
}

/** @type {Record<string, (message: Message, state: PageState, nowMs: number) => PageState>} */
const HANDLERS = {
  snapshot: onSnapshot,
  frame: onFrame,
  heartbeat: (_message, state, nowMs) => ({ ...state, beatMs: nowMs - state.lagMs }),
  alarm: (message, state) => ({ ...state, alarms: withAlarm(state.alarms, message) }),
  command: (message, state) => ({
    ...state,
    commands: withCommand(state.commands, /** @type {any} */ (message)),
  }),
  phase: (message, state) =>
    state.room ? { ...state, room: { ...state.room, phase: message.to } } : state,
};

/** @type {Record<string, (message: Message, state: PageState) => PageState>} */
const LOCAL = {
  hello: (message, state) => ({ ...state, you: message["you"] }),
  entry: (message, state) =>
    asked(state, message.control, { key: "", name: "", failure: message.reason, field: message.field ?? "" }),
  asked: (message, state) => asked(state, message.control, { ...pick(message), failure: "", field: "" }),
  failed: (message, state) => {
    const now = state.asked[message.control];
    if (!now || now.key !== message.key) return state;
    return asked(state, message.control, { ...now, failure: message.reason, field: message.field ?? "" });
  },
};

/** @param {Message} message */
const pick = (message) => ({ key: message.key, name: message.name });

/**
 * @param {PageState} state
 * @param {string} control
 * @param {import("./types.js").Asked} entry
 */
const asked = (state, control, entry) => ({
  ...state,
  asked: { ...state.asked, [control]: entry },
});

/**
 * Events older than what a snapshot has already told would undo it.
 * @param {Message} message
 * @param {PageState} state
 * @param {boolean} rebooted
 */
function isOldEvent(message, state, rebooted) {
  const isEvent = ["alarm", "phase", "command"].includes(message.type);
  return isEvent && !rebooted && (message.seq ?? 0) < state.snapshotSeq;
}

/**
 * @param {Message} message
 * @param {PageState} state
 * @param {number} nowMs
 */
function onSnapshot(message, state, nowMs) {
  const { channels, alarms, commands, ...room } = message.state;
  const rebooted = message.boot !== state.boot;
  const late = lateness(room.at_ns, rebooted ? null : state.soonestMs, state.cameMs, nowMs);
  const toldMs = nowMs - late.lagMs;
  /** @type {Record<string, Channel>} */
  const merged = {};
  for (const [id, wire] of Object.entries(channels ?? {})) {
    const known = rebooted ? undefined : state.channels[id];
    merged[id] = fromSnapshot(id, wire, known, room.at_ns, toldMs);
  }
  return {
    ...state,
    room,
    channels: merged,
    alarms: sorted(alarms ?? []),
    commands: commands ?? [],
    beatMs: rebooted || state.beatMs === null ? toldMs : state.beatMs,
    snapshotMs: toldMs,
    snapshotSeq: message.seq ?? -1,
    ...late,
  };
}

/**
 * How late a snapshot comes, against the one that came soonest: a network that has become slow
 * brings old news that look alive.
 * @param {number} atNs of the room's clock
 * @param {number|null} soonestMs the page's clock less the room's, at the soonest so far
 * @param {number|null} beforeMs when the snapshot before came
 * @param {number} nowMs
 */
function lateness(atNs, soonestMs, beforeMs, nowMs) {
  const apartMs = nowMs - atNs / 1e6;
  const drifted = (soonestMs ?? apartMs) + CLOCKS_APART * (nowMs - (beforeMs ?? nowMs));
  const soonest = Math.min(drifted, apartMs);
  return { soonestMs: soonest, cameMs: nowMs, lagMs: apartMs - soonest };
}

/**
 * A snapshot repeats values; one that is already known, or is older than the newest frame,
 * does not become younger by being repeated.
 * @param {string} id
 * @param {WireChannel} wire
 * @param {Channel|undefined} known
 * @param {number} snapshotNs
 * @param {number} nowMs
 * @returns {Channel}
 */
function fromSnapshot(id, wire, known, snapshotNs, nowMs) {
  if (wire.at_ns === null) return { ...wire, id, receivedMs: null };
  if (known && known.at_ns !== null && known.at_ns >= wire.at_ns) {
    const { value, validity, reason, at_ns, receivedMs } = known;
    return { ...wire, id, value, validity, reason, at_ns, receivedMs };
  }
  const ageMs = Math.max(0, (snapshotNs - wire.at_ns) / 1e6);
  return { ...wire, id, receivedMs: nowMs - ageMs };
}

/**
 * @param {Message} message
 * @param {PageState} state
 * @param {number} nowMs
 */
function onFrame(message, state, nowMs) {
  const channels = { ...state.channels };
  for (const [id, wire] of Object.entries(message.channels)) {
    const known = channels[id];
    if (!known || (known.at_ns ?? -1) > message.at_ns) continue;
    channels[id] = {
      ...known,
      value: wire.value,
      validity: wire.validity,
      reason: wire.reason ?? "",
      at_ns: message.at_ns,
      receivedMs: nowMs - state.lagMs,
    };
  }
  return { ...state, channels };
}

/**
 * @param {Alarm[]} alarms
 * @param {Message} message
 */
function withAlarm(alarms, message) {
  const before = alarms.find((alarm) => alarm.occurrence === message.occurrence);
  const others = alarms.filter((alarm) => alarm !== before);
  if (message.presence === "off") return others;
  return sorted([/** @type {Alarm} */ ({ ...before, ...message }), ...others]);
}

/**
 * Highest priority first, those that still call before those acknowledged.
 * @param {Alarm[]} alarms
 */
function sorted(alarms) {
  const weight = (/** @type {Alarm} */ alarm) =>
    RANK[alarm.priority] * 2 + (alarm.presence === "acknowledged" ? 1 : 0);
  return [...alarms].sort((a, b) => weight(a) - weight(b));
}

/**
 * @param {Command[]} commands
 * @param {Command} message
 */
function withCommand(commands, message) {
  const before = commands.find((command) => command.key === message.key);
  const others = commands.filter((command) => command !== before);
  return [{ ...before, ...message }, ...others].slice(0, COMMANDS_KEPT);
}
