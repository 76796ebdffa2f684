/**
 * Where the treatment is: phase, time left, drain; the drug, what anesthesia gives and draws, and
 * whether the patient is cooled.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Room} Room
 * @typedef {import("./types.js").Timer} Timer
 * @typedef {import("./commands.js").Send} Send
 */
import { roomIsLive } from "./ages.js";
import { isAfter, largeClock } from "./clocks.js";
import { buttonById, byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { DASH, clock, fixed, timeOfDay } from "./format.js";
import { t } from "./texts.js";

/** @param {PageState} state @param {number} nowMs @param {Send} send */
export function drawPlan(state, nowMs, send) {
  const room = roomIsLive(state, nowMs) ? state.room : null;
  drawPhase(room);
  drawDrug(room);
  drawDuties(state, room, send);
  drawCooling(state, room);
}

/** @param {Room|null} room */
function drawPhase(room) {
  const step = room?.steps.find((one) => one.phase === room.phase);
  setText(byId("phase"), room ? (step?.title ?? t.noSession) : DASH);
  setText(byId("side"), room?.side_state ? (t.sideStates[room.side_state] ?? "") : "");
  const session = room?.session ? room : null;
  const timers = session?.timers ?? [];
  const end = timers.find((timer) => timer.id === "end");
  const large = largeClock(session);
  setText(byId("clock-left"), large.time);
  setText(byId("clock-word"), large.word);
  setText(byId("drain-in"), session ? drainWords(end, session.phase) : "");
  setText(byId("heat-on"), room ? (room.heat.on ? t.team.heat : t.team.heldHeat) : "");
}

/** @param {Timer|undefined} end @param {string|null} phase */
export function drainWords(end, phase) {
  if (isAfter(phase)) return "";
  if (!end || end.due_in_s === null) return t.team.clockNotStarted;
  if (end.due_in_s <= 0) return t.team.drainNow;
  return t.team.drainIn(String(Math.ceil(end.due_in_s / 60)));
}

/** @param {Room|null} room */
function drawDrug(room) {
  const drug = room?.drug;
  setText(byId("drug-name"), drug ? drug.name : room?.session ? t.team.noDrug : "");
  const parts = [];
  if (drug && drug.dose_mg !== null) parts.push(`${fixed(drug.dose_mg, 0)} mg`);
  if (drug?.carrier) parts.push(drug.carrier);
  setText(byId("drug-dose"), parts.join(" · "));
  setText(byId("drug-next"), drug ? fractionWords(drug.fractions, room) : "");
}

/**
 * @param {import("./types.js").Fraction[]} fractions
 * @param {Pick<Room, "clocks" | "phase">|null} room
 */
export function fractionWords(fractions, room) {
  const next = fractions.find((fraction) => !fraction.given_utc);
  if (!next) return t.team.allGiven;
  if (isAfter(room?.phase ?? null)) return t.team.fractionNot(next.number);
  const dueS = room?.clocks?.next_fraction_s ?? null;
  if (dueS === null) return t.team.fractionsWait(fractions.length);
  return dueS > 0
    ? t.team.nextFraction(next.number, clock(dueS))
    : t.team.fractionSince(next.number, clock(-dueS));
}

/** What anesthesia does: intravenous drugs and blood tests. @param {Timer} timer */
const isDuty = (timer) => timer.id.startsWith("reminder_") || timer.id === "blood_test";

/** @param {PageState} state @param {Room|null} room @param {Send} send */
function drawDuties(state, room, send) {
  const duties = (room?.timers ?? []).filter(isDuty);
  const list = byId("duties");
  rebuildOnChange(list, duties.map((duty) => duty.id).join() || "none", () =>
    duties.map((duty) => dutyRow(duty, send)),
  );
  duties.forEach((duty, at) => {
    const row = /** @type {Element} */ (list.children[at]);
    setAttribute(row, "data-state", duty.state);
    setText(/** @type {Element} */ (row.children[0]), dutyTitle(duty, room));
    setText(/** @type {Element} */ (row.children[1]), dutyWords(duty));
    const button = /** @type {HTMLButtonElement} */ (row.children[2]);
    button.disabled = duty.state === "done";
  });
  setText(byId("duty-message"), state.asked["duty"]?.failure ?? "");
}

/** An intravenous drug with its dose; anything else as the room calls it.
 * @param {Timer} duty @param {Room|null} room */
export function dutyTitle({ id, text }, room) {
  const reminder = room?.reminders[Number(id.replace("reminder_", "")) - 1];
  if (!reminder) return text;
  const dose = reminder.dose_mg === null ? DASH : fixed(reminder.dose_mg, 0);
  return t.team.intravenous(reminder.drug, dose, reminder.infusion_min);
}

/** @param {Timer} duty */
export function dutyWords({ state, due_in_s }) {
  if (state === "done") return t.team.done;
  if (state === "due") return t.team.due;
  if (state === "late") return t.team.late;
  return due_in_s === null || due_in_s <= 0 ? t.team.waits : t.team.dueIn(clock(due_in_s));
}

/** @param {Timer} duty @param {Send} send */
function dutyRow({ id }, send) {
  const isBlood = id === "blood_test";
  const button = make("button", {
    text: isBlood ? t.team.drawn : t.team.given,
    "data-testid": `duty-${id}`,
  });
  const reminder = Number(id.replace("reminder_", ""));
  button.onclick = () =>
    isBlood
      ? send("confirm_blood_test", {}, { control: "duty" })
      : send("confirm_reminder", { reminder }, { control: "duty" });
  return make("li", {}, make("b"), make("span"), button);
}

/** @param {PageState} state @param {Room|null} room */
function drawCooling(state, room) {
  const entered = room?.session ? (room.cooling ?? null) : null;
  for (const [id, on] of /** @type {const} */ ([
    ["cooling-on", true],
    ["cooling-off", false],
  ])) {
    setAttribute(byId(id), "aria-pressed", String(entered?.on === on));
    buttonById(id).disabled = !room?.session || !(state.you?.may.includes("cooling") ?? true);
  }
  const failure = state.asked["cooling"]?.failure ?? "";
  const at = timeOfDay(entered?.at_utc);
  const words = entered ? (entered.on ? t.team.coolingOn(at) : t.team.coolingOff(at)) : "";
  setText(byId("cooling-words"), failure || words || (room?.session ? t.team.coolingUnknown : ""));
}

/** @param {Send} send */
export function wirePlan(send) {
  buttonById("cooling-on").onclick = () => send("cooling", { on: true }, { control: "cooling" });
  buttonById("cooling-off").onclick = () => send("cooling", { on: false }, { control: "cooling" });
}
