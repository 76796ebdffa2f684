/** The perfusionist's page: messages in, state through the reducer, panels out. */
import { drawAbdomen } from "./abdomen.js";
import { connection, roomNs } from "./ages.js";
import { drawAlarmList, drawBanner, wireBanner } from "./banner.js";
import { drawBars, drawBarValues } from "./bars.js";
import { drawClocks } from "./clocks.js";
import { makeSender } from "./commands.js";
import { drawControls, wireControls } from "./controls.js";
import { drawCurve, forgetCurve, wireCurve } from "./curve.js";
import { drawDrug } from "./drug.js";
import { History, keptHistory } from "./history.js";
import { forgetColours } from "./hues.js";
import { drawLedger } from "./ledger.js";
import { writeLabels } from "./labels.js";
import { openLink } from "./link.js";
import { drawDetails, drawNumbers } from "./numbers.js";
import { drawOutcomes } from "./outcomes.js";
import { drawOutlook } from "./outlook.js";
import { initialState, reduce } from "./reduce.js";
import { drawRequests, openRequests } from "./asks.js";
import { drawRights, wireRights } from "./rights.js";
import { drawGuarded, drawHeat, drawRoom, wireTheme } from "./room.js";
import { drawSetup, wireSetup } from "./setup.js";
import { Confirmer } from "./shown.js";
import { Station } from "./station.js";
import { drawStepper, wireStepper } from "./stepper.js";
import { drawSummary, wireSummary } from "./summary.js";
import { drawTasks, wireTasks } from "./tasks.js";

const AGES_EVERY_MS = 250;
const CURVE_EVERY_MS = 1000;
/** A page that heard nothing for so long asks for what it has missed. */
const AWAY_MS = 5000;

let state = initialState();
/** @type {History|null} */
let history = null;

const current = () => state;
const isLive = () => connection(state, performance.now()) !== "lost";
const send = makeSender(receive, () => roomNs(state, performance.now()));
/** @type {import("./setup.js").Refuse} */
const refuse = (control, reason, field = "") => receive({ type: "entry", control, reason, field });

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
    drawLive(nowMs);
  } else drawAll(nowMs);
}

/** What passed while this page was not there; gaps in it stay gaps. */
async function loadHistory() {
  const kept = await keptHistory(state);
  if (kept) history = kept;
  drawPictures();
}

/** Keeps a frame for the tails and the curve. @param {import("./types.js").Message} frame */
function remember(frame) {
  const speed = state.room?.speed;
  if (!speed) return;
  if (!history || history.speed !== speed) history = new History(speed);
  const atS = (frame["at_ns"] / 1e9) * speed;
  for (const id of Object.keys(frame["channels"])) {
    const channel = state.channels[id];
    if (channel?.unit !== "degC") continue;
    const value = channel.validity === "valid" ? channel.value : null;
    history.add(id, atS, value, channel.gone_s * speed);
  }
}

/** @param {number} nowMs */
function drawLive(nowMs) {
  drawNumbers(state, nowMs);
  drawDetails(state, nowMs);
  drawBarValues(state, nowMs);
  drawAbdomen(state, nowMs);
}

/** @param {number} nowMs */
function drawAll(nowMs) {
  drawLive(nowMs);
  drawBanner(state, nowMs);
  drawAlarmList(state, send);
  drawRoom(state, nowMs);
  drawGuarded(state);
  drawHeat(state, nowMs);
  drawOutlook(state, nowMs);
  drawClocks(state, nowMs);
  drawStepper(state, nowMs);
  drawSetup(state, nowMs);
  drawControls(state, nowMs);
  drawOutcomes(state);
  drawTasks(state, send, refuse);
  drawDrug(state, send, refuse);
  drawLedger(state);
  drawSummary(state, nowMs);
  drawRights(state);
  drawRequests(state, nowMs, send);
  station.draw(state, state.alarms, nowMs, openRequests(state).length > 0);
  confirmer.drawn(state.alarms, nowMs);
}

function drawPictures() {
  drawCurve(state, history, performance.now());
}

writeLabels();
wireStepper(current, send);
wireControls(current, send, refuse);
wireSetup(send, refuse);
wireSummary(send);
wireRights(current, send, refuse);
wireTasks(current, send, refuse);
wireCurve(drawPictures);
wireTheme(() => {
  forgetColours();
  forgetCurve();
  drawPictures();
});
const station = new Station("perfusion", () => drawAll(performance.now()));
wireBanner(current, send, station);
const link = openLink(receive, {
  isLive,
  audible: () => station.audible(),
  onAway: (awayMs) => station.wasAway(awayMs),
});
const confirmer = new Confirmer((shown) => link.shown(shown));
drawAll(performance.now());
setInterval(() => {
  const nowMs = performance.now();
  drawAll(nowMs);
  drawBars(state, history, nowMs);
}, AGES_EVERY_MS);
setInterval(drawPictures, CURVE_EVERY_MS);
