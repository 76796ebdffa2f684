/**
 * What is to come, in words: the forecast, when the gate opens, where it settles; and what would
 * happen with the set-point that is being typed, before it is sent.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Outlook} Outlook
 */
import { roomIsLive } from "./ages.js";
import { byId, inputById, setText } from "./dom.js";
import { outlookOf } from "./fan.js";
import { clock, fixed, typedNumber } from "./format.js";
import { t } from "./texts.js";

const ASK_AFTER_MS = 350;
const ASK_AGAIN_MS = 5000;
const LONGER = 1;

/** @type {{key: string, atMs: number, text: string}} */
let asked = { key: "", atMs: -Infinity, text: "" };
let wantedKey = "";
let wantedSinceMs = 0;

/**
 * @param {Outlook|null|undefined} outlook
 * @returns {string} one line, empty when nothing is foreseen
 */
export function outlookWords(outlook) {
  if (!outlook) return "";
  const parts = [];
  const { mean, core } = outlook.ahead;
  const later = mean?.[LONGER];
  if (later) parts.push(t.sitesAhead(fixed(later.value_c, 1), fixed(later.within_c, 1)));
  const coreLater = core?.[LONGER];
  if (coreLater) parts.push(t.coreAhead(fixed(coreLater.value_c, 1), fixed(coreLater.within_c, 1)));
  if (outlook.gate_in_s) parts.push(t.gateIn(clock(outlook.gate_in_s)));
  if (outlook.core_high_in_s !== null) parts.push(t.coreHighIn(clock(outlook.core_high_in_s)));
  parts.push(
    t.settles(
      fixed(outlook.steady_mean_c, 1),
      fixed(outlook.steady_coldest_c, 1),
      fixed(outlook.steady_hottest_c, 1),
    ),
  );
  return t.inTenMinutes + parts.join(" · ");
}

/** @param {PageState} state @param {number} nowMs */
export function drawOutlook(state, nowMs) {
  const live = roomIsLive(state, nowMs);
  setText(byId("outlook"), live ? outlookWords(outlookOf(state)) : "");
  const question = live && outlookOf(state) ? questionOf() : "";
  setText(byId("what-if"), question && asked.key === question ? asked.text : "");
  if (!question) {
    wantedKey = "";
    return;
  }
  if (question !== wantedKey) {
    wantedKey = question;
    wantedSinceMs = nowMs;
  }
  const old = asked.key !== question || nowMs - asked.atMs > ASK_AGAIN_MS;
  if (old && nowMs - wantedSinceMs > ASK_AFTER_MS) void ask(question, nowMs);
}

/** What is being typed and not yet sent, as the query of a question. */
function questionOf() {
  const query = new URLSearchParams();
  for (const [name, field, perShown] of /** @type {const} */ ([
    ["inflow", "inflow_c", 1],
    ["flow", "flow_ml_min", 1000],
  ])) {
    const input = inputById(`${name}-set`);
    const value = typedNumber(input.value);
    if (input.dataset["dirty"] === "true" && value !== null) {
      query.set(field, String(Number((value * perShown).toFixed(3))));
    }
  }
  return query.toString();
}

/** @param {string} question @param {number} nowMs */
async function ask(question, nowMs) {
  const before = asked.key === question ? asked.text : "";
  asked = { key: question, atMs: nowMs, text: before };
  try {
    const answer = await fetch(`/api/v1/what-if?${question}`);
    const body = await answer.json();
    const text = answer.ok ? t.whatIf(body.text) : (body.reason ?? "");
    if (asked.key === question) asked = { ...asked, text };
  } catch {
    asked = { ...asked, key: "" };
  }
}
