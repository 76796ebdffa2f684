/**
 * The alarm banner: the highest alarm large, the others small, and what can be done about them.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Alarm} Alarm
 */
import { connection } from "./ages.js";
import { buttonById, byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { fitLines, fitSize } from "./fit.js";
import { clock, fixed, timeOfDay } from "./format.js";
import { t } from "./texts.js";

/** A press that follows a change of the banner sooner than this was meant for what was there. */
const CHANGE_GUARD_MS = 400;

/** So many of the others at most stand beside the highest; the list has them all. */
const OTHERS_SHOWN = 4;

let shownKey = "";
let shownSinceMs = -Infinity;

/**
 * What the banner says; the page's own loss of the room stands above every alarm of the room.
 * @param {PageState} state
 * @param {number} nowMs
 */
export function bannerOf(state, nowMs) {
  const lost = connection(state, nowMs) === "lost";
  if (lost || state.outdated) {
    const text = state.outdated ? t.outdated : t.noConnection;
    const steps = state.outdated ? "" : t.noConnectionDo;
    return { id: "no_connection", priority: "high", signal: "flash", text, do: steps, alarm: null };
  }
  const alarm = state.alarms[0];
  if (!alarm) {
    return { id: "", priority: "none", signal: "none", text: t.alarmNone, do: "", alarm: null };
  }
  return {
    id: alarm.id,
    priority: alarm.priority,
    signal: signalOf(alarm),
    text: alarm.text,
    do: alarm.do,
    alarm,
  };
}

/**
 * Low priority is steady; an acknowledged alarm keeps its picture without calling.
 * @param {Alarm} alarm
 */
function signalOf(alarm) {
  if (alarm.presence === "acknowledged") return "quiet";
  return alarm.priority === "low" ? "steady" : "flash";
}

/** The alarm that a press of Acknowledge means now. @param {PageState} state */
export const nextToAcknowledge = (state) =>
  state.alarms.find((alarm) => alarm.presence !== "acknowledged");

/**
 * @param {PageState} state
 * @param {number} nowMs
 */
export function drawBanner(state, nowMs) {
  const view = bannerOf(state, nowMs);
  const banner = byId("banner");
  noteChange(nextToAcknowledge(state)?.occurrence ?? "", nowMs);
  setAttribute(banner, "data-priority", view.priority);
  setAttribute(banner, "data-signal", view.signal);
  setAttribute(banner, "data-alarm-id", view.id);
  setText(byId("alarm-mark"), markOf(view.priority));
  const spoken = /** @type {Record<string, string>} */ (t.alarmPriority)[view.priority] || t.alarmNone;
  setAttribute(byId("alarm-mark"), "aria-label", spoken);
  setAttribute(byId("alarm-mark"), "aria-hidden", String(!spoken));
  setText(byId("alarm-text"), view.text);
  setText(byId("alarm-do"), view.do);
  setText(byId("alarm-value"), view.alarm ? withValue(view.alarm.value) : "");
  setText(byId("alarm-limit"), view.alarm ? underValue(view.alarm) : "");
  const others = view.alarm ? state.alarms.slice(1) : state.alarms;
  setText(byId("alarm-count"), others.length ? t.seeAll(t.alarmOthers(others.length)) : "");
  byId("alarm-beside").hidden = !others.length;
  drawOthers(others);
  fitSize(byId("alarm-main"), banner);
  buttonById("ack").disabled = !nextToAcknowledge(state);
  drawAudio(state, nowMs);
}

/** @param {string} key @param {number} nowMs */
function noteChange(key, nowMs) {
  if (key === shownKey) return;
  shownSinceMs = shownKey ? nowMs : -Infinity;
  shownKey = key;
}

/** @param {string} priority */
const markOf = (priority) => /** @type {Record<string, string>} */ (t.alarmMarks)[priority] ?? "";

/** @param {number|null} value */
const withValue = (value) => (typeof value === "number" ? fixed(value, 1) : "");

/** @param {Alarm} alarm */
function underValue(alarm) {
  const parts = [];
  if (typeof alarm.limit === "number") parts.push(`${t.alarmLimit} ${fixed(alarm.limit, 1)}`);
  if (alarm.presence === "latched") parts.push(t.alarmLatched);
  if (alarm.presence === "acknowledged") parts.push(t.alarmAcknowledged);
  return parts.join(" · ");
}

/** @param {Alarm[]} others */
function drawOthers(others) {
  const key = others.map((alarm) => `${alarm.occurrence}${alarm.priority}${alarm.text}`).join();
  rebuildOnChange(byId("alarm-others"), key, () =>
    others.slice(0, OTHERS_SHOWN).map((alarm) => {
      const text = `${markOf(alarm.priority)} ${alarm.text}`;
      return make("li", { "data-alarm-id": alarm.id, text });
    }),
  );
  fitLines(byId("alarm-others"));
}

/** @param {PageState} state @param {number} nowMs */
function drawAudio(state, nowMs) {
  const sinceS = state.snapshotMs === null ? 0 : (nowMs - state.snapshotMs) / 1000;
  const leftS = (state.room?.audio_paused_s ?? 0) - sinceS;
  setText(byId("pause-audio"), leftS > 0 ? t.audioPaused(clock(leftS)) : t.pauseAudio);
}

/**
 * What a list of alarms has to be written anew for; a message of an onset knows no time of day yet.
 * @param {Alarm[]} alarms
 */
export const listKey = (alarms) =>
  alarms
    .map(({ occurrence, presence, priority, text, since_utc, seen_by }) =>
      [occurrence, presence, priority, text, since_utc, seen_by].join(),
    )
    .join() || "none";

/**
 * The whole list, each with its own acknowledge.
 * @param {PageState} state
 * @param {import("./commands.js").Send} send
 */
export function drawAlarmList(state, send) {
  setText(byId("tab-alarms"), t.alarmsTab(state.alarms.length));
  rebuildOnChange(byId("alarm-list"), listKey(state.alarms), () =>
    state.alarms.length
      ? state.alarms.map((alarm) => alarmRow(alarm, state, send))
      : [make("li", { text: t.alarmNone })],
  );
  drawPast(state);
}

/** What is over stays in the list, for whoever was not in the room. @param {PageState} state */
function drawPast(state) {
  const past = state.room?.past_alarms ?? [];
  byId("past-title").hidden = !past.length;
  rebuildOnChange(byId("past-list"), past.map((one) => one.occurrence).join() || "none", () =>
    past.map((one) => {
      const times = `${timeOfDay(one.since_utc)}–${timeOfDay(one.until_utc)} `;
      const words = `${markOf(one.priority)} ${one.text}`;
      return make("li", {}, make("small", { text: times }), make("span", { text: words }));
    }),
  );
}

/** @param {Alarm} alarm @param {PageState} state @param {import("./commands.js").Send} send */
function alarmRow(alarm, state, send) {
  const since = [timeOfDay(alarm.since_utc), underValue(alarm)].filter(Boolean).join(" · ");
  const why = state.room?.devices[alarm.source]?.reason ?? "";
  const row = make(
    "li",
    { class: "entry", "data-occurrence": alarm.occurrence, "data-alarm-id": alarm.id },
    make("b", { text: `${markOf(alarm.priority)} ${alarm.text}` }),
  );
  if (alarm.presence !== "acknowledged") {
    const button = make("button", { text: t.acknowledge });
    button.onclick = () =>
      send("acknowledge", { occurrence: alarm.occurrence }, { control: "banner" });
    row.append(button);
  }
  const small = make("small", { text: [since, why].filter(Boolean).join(" · ") });
  row.append(make("p", {}, make("span", { text: `${alarm.do} ` }), small));
  return row;
}

/**
 * @param {() => PageState} current
 * @param {import("./commands.js").Send} send
 * @param {import("./station.js").Station} station
 */
export function wireBanner(current, send, station) {
  buttonById("alarm-count").onclick = () => {
    buttonById("tab-alarms").click();
    byId("alarm-list").scrollIntoView({ block: "nearest" });
    buttonById("tab-alarms").focus();
  };
  buttonById("ack").onclick = () => {
    const alarm = nextToAcknowledge(current());
    if (!alarm || performance.now() - shownSinceMs < CHANGE_GUARD_MS) return;
    send("acknowledge", { occurrence: alarm.occurrence }, { control: "banner" });
  };
  buttonById("pause-audio").onclick = () => {
    if (connection(current(), performance.now()) === "lost") station.silence();
    else send("pause_audio", {}, { control: "banner" });
  };
}
