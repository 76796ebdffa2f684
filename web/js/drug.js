/**
 * The drug: its arithmetic dose, its fractions as facts to confirm, and the IV reminders.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Fraction} Fraction
 * @typedef {import("./commands.js").Send} Send
 * @typedef {import("./commands.js").Refuse} Refuse
 */
import { byId, inputById, make, rebuildOnChange, setText } from "./dom.js";
import { clock, fixed, timeOfDay, typedTime } from "./format.js";
import { t } from "./texts.js";

/** @param {PageState} state @param {Send} send @param {Refuse} refuse */
export function drawDrug(state, send, refuse) {
  const drug = state.room?.drug ?? null;
  byId("drug-entry").hidden = !drug;
  setText(
    byId("drug-name"),
    drug ? [drug.name, drug.carrier].filter(Boolean).join(", ") : t.drugNone,
  );
  setText(
    byId("drug-dose"),
    drug ? t.dose(fixed(drug.dose_mg, 1), fixed(drug.dose_mg_m2, 0), fixed(drug.bsa_m2, 2)) : "",
  );
  const fractions = drug?.fractions ?? [];
  const key = fractions.map((one) => `${one.number}${one.given_utc}${one.mg}`).join();
  rebuildOnChange(byId("fractions"), key, () =>
    fractions.map((one) => fractionRow(one, send, refuse)),
  );
  const contactS = state.room?.clocks?.contact_s ?? null;
  for (const one of fractions) writeDue(one, contactS);
  drawTimers(state, send);
  setText(byId("dip"), state.room?.dip ? dipWords(state.room.dip) : "");
}

/** How far the next dose would cool. @param {import("./types.js").Dip} dip */
const dipWords = (dip) =>
  t.dip(fixed(dip.from_c, 1), fixed(dip.to_c, 1), clock(dip.recovers_s));

/** @param {Fraction} one @param {Send} send @param {Refuse} refuse */
function fractionRow(one, send, refuse) {
  const words = t.fraction(one.number, fixed(one.share * 100, 0), fixed(one.mg, 1));
  const due = make("small", { id: `fraction-due-${one.number}` });
  const told = make("div", {}, make("span", { text: `${words} ` }), due);
  const row = make("li", { class: "entry", "data-fraction": String(one.number) }, told);
  if (one.given_utc) return row;
  const button = make("button", { text: t.giveNow, "data-testid": `fraction-${one.number}` });
  button.onclick = () => give(one, send, refuse);
  row.append(button);
  return row;
}

/**
 * Given is a fact: it is sent whenever it is said, earlier ones with their time.
 * @param {Fraction} one
 * @param {Send} send
 * @param {Refuse} refuse
 */
function give(one, send, refuse) {
  const [time, reason, second] = ["at", "reason", "second"].map((name) =>
    inputById(`drug-${name}`).value.trim(),
  );
  const at = time ? typedTime(time, new Date()) : null;
  if (time && !at) return refuse("drug", t.timeMissing);
  if (at && !reason) return refuse("drug", t.reasonMissing);
  const args = { fraction: one.number, ...(at ? { at } : {}) };
  send("confirm_drug", args, { control: "drug", reason: reason ?? "", second: second ?? "" });
}

/** @param {Fraction} one @param {number|null} contactS seconds since drug-in, null before it */
function writeDue(one, contactS) {
  const place = byId(`fraction-due-${one.number}`);
  if (one.given_utc) return setText(place, t.given(timeOfDay(one.given_utc)));
  if (one.due_s === null) return setText(place, "");
  if (contactS === null) return setText(place, t.dueAfter(clock(one.due_s)));
  const leftS = one.due_s - contactS;
  setText(place, leftS > 0 ? t.dueIn(clock(leftS)) : t.dueNow);
}

/**
 * Everything that has a time; an intravenous drug is confirmed here or by anesthesia.
 * @param {PageState} state
 * @param {Send} send
 */
function drawTimers(state, send) {
  const timers = state.room?.timers ?? [];
  const list = byId("reminders");
  const key = timers.map((one) => one.id + (one.state === "done")).join() || "none";
  rebuildOnChange(list, key, () => timers.map((one) => timerRow(one, state, send)));
  timers.forEach((one, at) => {
    const place = list.children[at]?.querySelector("small");
    if (place) setText(place, timerWords(one));
  });
}

/** @param {import("./types.js").Timer} one @param {PageState} state @param {Send} send */
function timerRow(one, state, send) {
  const number = Number(/^reminder_(\d+)$/.exec(one.id)?.[1] ?? 0);
  const dose = state.room?.reminders[number - 1]?.dose_mg;
  const text = typeof dose === "number" ? `${one.text}, ${fixed(dose, 0)} mg` : one.text;
  const words = make("div", {}, make("span", { text: `${text} ` }), make("small"));
  const row = make("li", { class: "entry", "data-timer": one.id }, words);
  if (!number || one.state === "done") return row;
  const button = make("button", { text: t.reminderGiven });
  button.onclick = () => send("confirm_reminder", { reminder: number }, { control: "drug" });
  row.append(button);
  return row;
}

/** @param {import("./types.js").Timer} one */
function timerWords({ state, due_in_s }) {
  if (state === "done") return t.timerDone;
  if (due_in_s === null) return state === "due" ? t.dueNow : t.dueWithDrug;
  if (due_in_s > 0) return t.dueIn(clock(due_in_s));
  return state === "late" ? t.lateBy(clock(-due_in_s)) : t.dueNow;
}
