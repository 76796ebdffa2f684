/** Anesthesia's page: what concerns them, at a glance, and what they say to the pump. */
import { connection, roomNs } from "./ages.js";
import { drawCourse } from "./anes_course.js";
import { drawBanner, drawList, theirs, wireAlarms } from "./anes_alarms.js";
import { drawFigures } from "./anes_figures.js";
import { drawPlan, wirePlan } from "./anes_plan.js";
import { makeSender } from "./commands.js";
import { History, keptHistory } from "./history.js";
import { forgetColours } from "./hues.js";
import { writeLabels } from "./labels.js";
import { openLink } from "./link.js";
import { initialState, reduce } from "./reduce.js";
import { drawAsking, wireAsking } from "./asks.js";
import { wireTheme } from "./room.js";
import { Confirmer } from "./shown.js";
import { Station } from "./station.js";

const AGES_EVERY_MS = 250;
const COURSE_EVERY_MS = 1000;
/** A page that heard nothing for so long asks for what it has missed. */
const AWAY_MS = 5000;

let state = initialState();
/** @type {History|null} */
let history = null;

const current = () => state;
const isLive = () => connection(state, performance.now()) !== "lost";
const send = makeSender(receive, () => roomNs(state, performance.now()));

/** @param {import("./types.js").Message} message */
function receive(message) {
  const nowMs = performance.now();
  const { boot, cameMs } = state;
  state = reduce(message, state, nowMs);
  if (state.boot !== boot) confirmer.forget();
  const away = cameMs === null || nowMs - cameMs > AWAY_MS || state.boot !== boot;
  if (message.type === "snapshot" && away) void loadHistory();
  if (message.type === "heartbeat") {
    if (isLive()) station.heard();
    return;
  }
  if (message.type === "frame") {
    remember(message);
    drawFigures(state, nowMs);
  } else draw(nowMs);
}

/** What passed while this page was not there; gaps in it stay gaps. */
async function loadHistory() {
  const kept = await keptHistory(state);
  if (kept) history = kept;
  drawPicture();
}

/** Keeps the core's readings for its curve. @param {import("./types.js").Message} frame */
function remember(frame) {
  const speed = state.room?.speed;
  if (!speed) return;
  if (!history || history.speed !== speed) history = new History(speed);
  const atS = (frame["at_ns"] / 1e9) * speed;
  for (const id of Object.keys(frame["channels"])) {
    const channel = state.channels[id];
    if (channel?.role !== "core") continue;
    const value = channel.validity === "valid" ? channel.value : null;
    history.add(id, atS, value, channel.gone_s * speed);
  }
}

/** @param {number} nowMs */
function draw(nowMs) {
  const alarms = theirs(state);
  drawFigures(state, nowMs);
  drawPlan(state, nowMs, send);
  drawBanner(state, alarms, nowMs);
  drawList(state, alarms, send);
  drawAsking(state, nowMs);
  station.draw(state, alarms, nowMs);
  confirmer.drawn(alarms, nowMs);
}

const redraw = () => draw(performance.now());
const station = new Station("anesthesia", redraw);
writeLabels();
const drawPicture = () => drawCourse(state, history, performance.now());
wireAlarms(current, send, station);
wireAsking(send);
wirePlan(send);
wireTheme(() => {
  forgetColours();
  drawPicture();
});
const link = openLink(receive, {
  isLive,
  audible: () => station.audible(),
  onAway: (awayMs) => station.wasAway(awayMs),
});
const confirmer = new Confirmer((shown) => link.shown(shown));
redraw();
setInterval(redraw, AGES_EVERY_MS);
setInterval(drawPicture, COURSE_EVERY_MS);
