/** What anesthesia's page says, who counts on a page, and what sounds where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { theirs, nextToSee } from "../../web/js/anes_alarms.js";
import { fanOf, rangeOf } from "../../web/js/anes_course.js";
import { rateWords, reachWords } from "../../web/js/anes_figures.js";
import { largeClock } from "../../web/js/clocks.js";
import { drainWords, dutyTitle, dutyWords, fractionWords } from "../../web/js/anes_plan.js";
import { initialState, reduce } from "../../web/js/reduce.js";
import { openRequests, requestWords } from "../../web/js/asks.js";
import { isPrimary, soundingOf } from "../../web/js/station.js";
import { alarm, snapshot } from "./room.mjs";

const opened = (overrides) => reduce(snapshot(overrides), initialState(), 0);
const at = (station, role, screen = null) => ({
  you: { name: "", role, station, screen, may: [], holder: false, idle: false },
});

test("only a page at an enrolled station of its own kind is an alarm display", () => {
  assert.equal(isPrimary(at("anesthesia", "anesthesia"), "anesthesia"), true);
  assert.equal(isPrimary(at("anesthesia", "display", "anesthesia"), "anesthesia"), true);
  assert.equal(isPrimary(at("perfusion", "qa", "perfusionist"), "perfusion"), true);
  assert.equal(isPrimary(at("wall", "display", "display"), "perfusion"), false);
  assert.equal(isPrimary(at("", "anesthesia"), "anesthesia"), false);
  assert.equal(isPrimary(at("perfusion", "perfusionist"), "anesthesia"), false);
  assert.equal(isPrimary({ you: null }, "perfusion"), false);
});

test("the highest alarm that still calls sounds, none in a pause and none without a room", () => {
  const alarms = [alarm("a", "high", "acknowledged"), alarm("b", "medium")];
  assert.equal(soundingOf(opened({ alarms }), alarms, 100).occurrence, "b");
  assert.equal(soundingOf(opened({ alarms, audio_paused_s: 60 }), alarms, 100), null);
  assert.equal(soundingOf(opened({ alarms, audio_paused_s: 0.05 }), alarms, 100).occurrence, "b");
  assert.equal(soundingOf(opened({ alarms }), alarms, 2701), null);
});

test("anesthesia sees the alarms that concern them, and what nobody there has seen comes first", () => {
  const core = { ...alarm("a", "high"), for_anesthesia: true, seen_by: "A. Three" };
  const iap = { ...alarm("b", "medium"), for_anesthesia: true };
  const alarms = theirs(opened({ alarms: [core, iap, alarm("c", "high")] }));
  assert.deepEqual(alarms.map((one) => one.occurrence), ["a", "b"]);
  assert.equal(nextToSee(alarms).occurrence, "b");
});

const request = (overrides) => ({
  number: 1,
  kind: "pause",
  text: "pause",
  at_utc: "2026-01-01T10:00:00.000Z",
  by: "A. Three",
  waits_s: 12,
  accepted: null,
  answered_utc: null,
  answered_by: "",
  reason: "",
  ...overrides,
});

test("a request counts on until it is answered, by the page's own clock", () => {
  const open = opened({ requests: [request({})] });
  assert.equal(openRequests(open).length, 1);
  assert.match(requestWords(open, "pause", 5000).text, /asked 0:17 ago/);
  const accepted = opened({ requests: [request({ accepted: true })] });
  assert.equal(openRequests(accepted).length, 0);
  assert.match(requestWords(accepted, "pause", 5000).text, /accepted after 0:12/);
  const declined = opened({ requests: [request({ accepted: false, reason: "drug goes in" })] });
  assert.match(requestWords(declined, "pause", 0).text, /declined: drug goes in/);
  assert.equal(requestWords(declined, "heat_hold", 0).text, "");
});

test("the slope says which way by a word of its own, and nothing before it is known", () => {
  assert.equal(rateWords(0.52), "↑ 0.5 °C / 10 min");
  assert.equal(rateWords(-0.3), "↓ 0.3 °C / 10 min");
  assert.equal(rateWords(0.01), "→ 0.0 °C / 10 min");
  assert.equal(rateWords(null), "rate not yet known");
});

test("the time to a step of the ladder is a range, open where it may stay below", () => {
  const step = (from_s, to_s) => ({ limit_c: 39, above_min: 0, from_s, to_s });
  assert.equal(reachWords(step(840, 1140), false, false), "in 14–19 min");
  assert.equal(reachWords(step(840, null), false, false), "in 14 min or later");
  assert.equal(reachWords(step(null, null), false, false), "not within the hour");
  assert.equal(reachWords(step(null, null), true, true), "reached · shown only");
});

test("drain, fractions and duties are told in minutes", () => {
  assert.equal(drainWords({ due_in_s: 2195 }, "perfuse"), "drain in 37 min");
  assert.equal(drainWords({ due_in_s: -3 }, "perfuse"), "drain now");
  assert.equal(drainWords(undefined, "heat_up"), "clock starts at drug in");
  assert.equal(drainWords({ due_in_s: -3 }, "drain"), "");
  const fractions = [{ number: 1, given_utc: "x" }, { number: 2, given_utc: null }];
  const at = (next_fraction_s, phase = "perfuse") => ({ phase, clocks: { next_fraction_s } });
  assert.equal(fractionWords(fractions, at(432)), "fraction 2 in 7:12");
  assert.equal(fractionWords(fractions, at(-375)), "fraction 2 due since 6:15");
  assert.equal(fractionWords(fractions, at(-375, "drain")), "fraction 2 not given");
  assert.equal(fractionWords(fractions.slice(0, 1), null), "all fractions given");
  assert.equal(dutyWords({ state: "waiting", due_in_s: 600 }), "in 10:00");
  assert.equal(dutyWords({ state: "due", due_in_s: 0 }), "due now");
  const reminders = [{ drug: "leucovorin", dose_mg: 36.4, infusion_min: 10 }];
  assert.equal(dutyTitle({ id: "reminder_1", text: "" }, { reminders }), "IV leucovorin 36 mg, 10 min");
  assert.equal(dutyTitle({ id: "blood_test", text: "Blood: lactate" }, { reminders }), "Blood: lactate");
});

test("the large clock tells what is left, what is over, and afterwards what was treated", () => {
  const room = (left_s, phase) => ({ session: "s1", phase, clocks: { left_s, elapsed_s: 2469 } });
  assert.deepEqual(largeClock(room(2930, "perfuse")), { time: "48:50", word: "left" });
  assert.deepEqual(largeClock(room(-61, "perfuse")), { time: "1:01", word: "over time" });
  for (const phase of ["drain", "rinse", "complete"]) {
    assert.deepEqual(largeClock(room(2930, phase)), { time: "41:09", word: "treated" });
  }
  assert.deepEqual(largeClock({ ...room(2930, "perfuse"), session: null }), { time: "–", word: "" });
});

test("the fan of the core begins at its reading, and an old forecast is not drawn", () => {
  const outlook = {
    at_s: 1,
    horizons_s: [120, 600],
    ahead: { core: [{ value_c: 38, within_c: 0.5 }, { value_c: 39, within_c: 1 }] },
  };
  const state = opened({ outlook, core: { channel: "nasopharynx", steps: [] } });
  assert.deepEqual(fanOf(state, 5)[0], { atS: 5, low: 37.6, high: 37.6 });
  assert.deepEqual(fanOf(state, 5)[2], { atS: 601, low: 38, high: 40 });
  assert.deepEqual(fanOf(state, 100), []);
  assert.deepEqual(rangeOf([37.2, 40.6, null]), [36, 41]);
});
