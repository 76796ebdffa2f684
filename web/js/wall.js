/** The wall: what everybody in the room may read from afar. It sounds nothing and asks nothing. */
import { connection, readingOf, roomIsLive } from "./ages.js";
import { drainWords } from "./anes_plan.js";
import { decidingCore } from "./anes_figures.js";
import { bannerOf } from "./banner.js";
import { largeClock } from "./clocks.js";
import { byId, setAttribute, setText } from "./dom.js";
import { channelsOf, flowChannel, inflowChannel, sitesFigure } from "./figures.js";
import { fitSize } from "./fit.js";
import { clock, fixed, litresPerMinute } from "./format.js";
import { writeLabels } from "./labels.js";
import { openLink } from "./link.js";
import { initialState, reduce } from "./reduce.js";
import { pausedS } from "./station.js";
import { channelName, t } from "./texts.js";

/** @typedef {import("./types.js").Channel} Channel */

const AGES_EVERY_MS = 250;

let state = initialState();

/** @param {number} nowMs */
function draw(nowMs) {
  drawAlarm(nowMs);
  const sites = sitesFigure(state, nowMs);
  setText(byId("value-sites"), fixed(sites.value, 1));
  setAttribute(byId("value-sites"), "data-age", sites.age);
  const range = `${fixed(sites.min, 1)}–${fixed(sites.max, 1)}`;
  setText(byId("under-sites"), sites.value === null ? sites.reason : range);
  const core = decidingCore(state);
  drawOne("inflow", inflowChannel(state), nowMs, (value) => fixed(value, 1));
  drawOne("core", core, nowMs, (value) => fixed(value, 1));
  drawOne("flow", flowChannel(state), nowMs, litresPerMinute);
  drawOne("iap", channelsOf(state, ["iap"])[0], nowMs, (value) => fixed(value, 0));
  setText(byId("core-site"), core ? channelName(core) : t.noCore);
  drawPlan(nowMs);
}

/**
 * @param {string} name
 * @param {Channel|undefined} channel
 * @param {number} nowMs
 * @param {(value: number|null) => string} words
 */
function drawOne(name, channel, nowMs, words) {
  const reading = channel ? readingOf(state, channel, nowMs) : null;
  setText(byId(`value-${name}`), words(reading?.value ?? null));
  setAttribute(byId(`value-${name}`), "data-age", reading?.age ?? "gone");
}

/** @param {number} nowMs */
function drawAlarm(nowMs) {
  const view = bannerOf(state, nowMs);
  setAttribute(byId("banner"), "data-priority", view.priority);
  setAttribute(byId("banner"), "data-signal", view.signal);
  const marks = /** @type {Record<string, string>} */ (t.alarmMarks);
  const spoken = /** @type {Record<string, string>} */ (t.alarmPriority)[view.priority] ?? "";
  setText(byId("alarm-mark"), marks[view.priority] ?? "");
  setAttribute(byId("alarm-mark"), "aria-label", spoken);
  setAttribute(byId("alarm-mark"), "aria-hidden", String(!spoken));
  setText(byId("alarm-text"), view.text);
  setText(byId("alarm-do"), view.do);
  fitSize(byId("alarm-main"), byId("banner"));
}

/** @param {number} nowMs */
function drawPlan(nowMs) {
  const room = roomIsLive(state, nowMs) ? state.room : null;
  const step = room?.steps.find((one) => one.phase === room.phase);
  const side = room?.side_state ? (t.sideStates[room.side_state] ?? "") : "";
  const phase = room ? (step?.title ?? t.noSession) : t.noLiveValues;
  setText(byId("phase"), [phase, side].filter(Boolean).join(" · "));
  const session = room?.session ? room : null;
  const large = largeClock(session);
  setText(byId("clock-left"), large.time);
  setText(byId("clock-word"), large.word);
  const end = session?.timers?.find((timer) => timer.id === "end");
  setText(byId("drain-in"), session ? drainWords(end, session.phase) : "");
  setText(byId("mode-word"), /** @type {Record<string, string>} */ (t.modeMark)[state.mode] ?? "");
  setText(byId("room-name"), state.id);
  const linked = connection(state, nowMs);
  const said = { live: t.connected, connecting: t.connecting, lost: t.noConnectionMark };
  setText(byId("connection"), said[linked]);
  setText(byId("reliance"), t.team.informationShort);
  const left = pausedS(state, nowMs);
  setText(byId("paused"), left > 0 ? t.team.soundPaused(clock(left)) : "");
  if (state.id) document.title = t.team.wallTitle(state.id);
}

/** @param {import("./types.js").Message} message */
function receive(message) {
  const nowMs = performance.now();
  state = reduce(message, state, nowMs);
  if (message.type !== "heartbeat") draw(nowMs);
}

writeLabels();
openLink(receive, { watched: false });
draw(performance.now());
setInterval(() => draw(performance.now()), AGES_EVERY_MS);
