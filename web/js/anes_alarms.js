/**
 * The alarms that concern anesthesia: the highest large, all of them in a list with their times.
 * "Seen" tells the perfusionist that somebody here knows; it silences nothing.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Alarm} Alarm
 * @typedef {import("./commands.js").Send} Send
 */
import { connection } from "./ages.js";
import { bannerOf, listKey, nextToAcknowledge } from "./banner.js";
import { buttonById, byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { fitSize } from "./fit.js";
import { clock, fixed, timeOfDay } from "./format.js";
import { pausedS } from "./station.js";
import { t } from "./texts.js";

/** A press that follows a change of the banner sooner than this was meant for what was there. */
const CHANGE_GUARD_MS = 400;

let shownKey = "";
let shownSinceMs = -Infinity;

/** @param {PageState} state */
export const theirs = (state) => state.alarms.filter((alarm) => alarm.for_anesthesia);

/** The alarm that "Seen" means now. @param {Alarm[]} alarms */
export const nextToSee = (alarms) => alarms.find((alarm) => !alarm.seen_by);

/** @param {string} priority */
const markOf = (priority) => /** @type {Record<string, string>} */ (t.alarmMarks)[priority] ?? "";

/**
 * @param {PageState} state
 * @param {Alarm[]} alarms
 * @param {number} nowMs
 */
export function drawBanner(state, alarms, nowMs) {
  const view = bannerOf({ ...state, alarms }, nowMs);
  const quiet = view.priority === "none" ? t.team.noAlarms : view.text;
  noteChange(alarms[0]?.occurrence ?? "", nowMs);
  setAttribute(byId("banner"), "data-priority", view.priority);
  setAttribute(byId("banner"), "data-signal", view.signal);
  setAttribute(byId("banner"), "data-alarm-id", view.id);
  setText(byId("alarm-mark"), markOf(view.priority));
  const spoken = /** @type {Record<string, string>} */ (t.alarmPriority)[view.priority] ?? "";
  setAttribute(byId("alarm-mark"), "aria-label", spoken);
  setAttribute(byId("alarm-mark"), "aria-hidden", String(!spoken));
  setText(byId("alarm-text"), quiet);
  setText(byId("alarm-do"), view.do);
  setText(byId("alarm-under"), view.alarm ? underOf(view.alarm, alarms.length - 1) : "");
  fitSize(byId("alarm-main"), byId("banner"));
  const { value = null, limit = null } = view.alarm ?? {};
  setText(byId("alarm-value"), value === null ? "" : fixed(value, 1));
  setText(byId("alarm-limit"), limit === null ? "" : `${t.alarmLimit} ${fixed(limit, 1)}`);
  const may = (/** @type {string} */ name) => state.you === null || state.you.may.includes(name);
  buttonById("seen").disabled = !nextToSee(alarms) || !may("seen");
  const lost = connection(state, nowMs) === "lost";
  buttonById("ack").disabled = !nextToAcknowledge({ ...state, alarms }) || !may("acknowledge");
  buttonById("pause-audio").disabled = !lost && !may("pause_audio");
  const left = pausedS(state, nowMs);
  setText(byId("pause-audio"), left > 0 ? t.audioPaused(clock(left)) : t.pauseAudio);
  setText(byId("all-alarms"), t.team.countAll(alarms.length));
}

/** @param {string} key @param {number} nowMs */
function noteChange(key, nowMs) {
  if (key === shownKey) return;
  shownSinceMs = shownKey ? nowMs : -Infinity;
  shownKey = key;
}

/** @param {Alarm} alarm @param {number} others */
function underOf(alarm, others) {
  const parts = [alarm.seen_by ? t.team.seenBy(alarm.seen_by) : t.team.notSeen];
  if (alarm.presence === "latched") parts.push(t.alarmLatched);
  if (alarm.presence === "acknowledged") parts.push(t.alarmAcknowledged);
  if (others > 0) parts.push(t.alarmOthers(others));
  return parts.join(" · ");
}

/**
 * @param {PageState} state
 * @param {Alarm[]} alarms
 * @param {Send} send
 */
export function drawList(state, alarms, send) {
  rebuildOnChange(byId("alarm-list"), listKey(alarms), () =>
    alarms.length
      ? alarms.map((alarm) => rowOf(alarm, send))
      : [make("li", { text: t.team.noAlarms })],
  );
  const past = state.room?.past_alarms ?? [];
  rebuildOnChange(byId("past-list"), past.map((one) => one.occurrence).join() || "none", () =>
    past.map((one) => {
      const times = `${timeOfDay(one.since_utc)}–${timeOfDay(one.until_utc)}`;
      const words = `${markOf(one.priority)} ${one.text}`;
      return make("li", {}, make("small", { text: times }), make("b", { text: words }));
    }),
  );
}

/** @param {Alarm} alarm @param {Send} send */
function rowOf(alarm, send) {
  const row = make(
    "li",
    { "data-occurrence": alarm.occurrence },
    make("small", { text: timeOfDay(alarm.since_utc) }),
    make("b", { text: `${markOf(alarm.priority)} ${alarm.text}` }),
    make("span", { text: underOf(alarm, 0) }),
  );
  const occurrence = alarm.occurrence;
  if (!alarm.seen_by) {
    const button = make("button", { text: t.labels.seen });
    button.onclick = () => send("seen", { occurrence }, { control: "banner" });
    row.append(button);
  }
  if (alarm.presence !== "acknowledged") {
    const button = make("button", { text: t.acknowledge });
    button.onclick = () => send("acknowledge", { occurrence }, { control: "banner" });
    row.append(button);
  }
  return row;
}

/**
 * @param {() => PageState} current
 * @param {Send} send
 * @param {import("./station.js").Station} station
 */
export function wireAlarms(current, send, station) {
  const meant = () => performance.now() - shownSinceMs >= CHANGE_GUARD_MS;
  buttonById("seen").onclick = () => {
    const alarm = nextToSee(theirs(current()));
    if (alarm && meant()) send("seen", { occurrence: alarm.occurrence }, { control: "banner" });
  };
  buttonById("ack").onclick = () => {
    const alarm = nextToAcknowledge({ ...current(), alarms: theirs(current()) });
    if (!alarm || !meant()) return;
    send("acknowledge", { occurrence: alarm.occurrence }, { control: "banner" });
  };
  buttonById("pause-audio").onclick = () => {
    if (connection(current(), performance.now()) === "lost") station.silence();
    else send("pause_audio", {}, { control: "banner" });
  };
  const dialog = /** @type {HTMLDialogElement} */ (byId("alarm-dialog"));
  buttonById("all-alarms").onclick = () => (dialog.open ? dialog.close() : dialog.show());
  buttonById("alarm-close").onclick = () => dialog.close();
}
