import assert from "node:assert/strict";
import { test } from "node:test";
import { aboutField, wordsOf } from "../../web/js/commands.js";
import {
  clock,
  eventWords,
  fixed,
  litresPerMinute,
  timeOfDay,
  typedNumber,
  typedTime,
} from "../../web/js/format.js";
import { lookOf } from "../../web/js/hues.js";
import { argumentsOf } from "../../web/js/setup.js";
import { channelName, shortName } from "../../web/js/texts.js";

test("unknown is a dash, never a zero", () => {
  for (const unknown of [null, undefined, NaN, Infinity]) {
    assert.equal(fixed(unknown, 1), "–");
    assert.equal(clock(unknown), "–");
  }
  assert.equal(litresPerMinute(null), "–");
});

test("numbers keep their decimals and have no negative zero", () => {
  assert.equal(fixed(43, 1), "43.0");
  assert.equal(fixed(-0.04, 1), "0.0");
  assert.equal(fixed(-1.25, 1), "−1.3");
});

test("clocks count minutes up to 99:59 and hours beyond", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(2232.9), "37:12");
  assert.equal(clock(5999), "99:59");
  assert.equal(clock(6000), "1:40:00");
  assert.equal(clock(-70), "−1:10");
});

test("flow is shown in litres per minute", () => {
  assert.equal(litresPerMinute(1480), "1.48");
});

test("a rubbish stamp is a dash", () => {
  assert.equal(timeOfDay("yesterday"), "–");
  assert.match(timeOfDay("2026-01-01T10:42:05Z"), /^\d\d:\d\d:05$/);
});

test("typed numbers may have a comma, and words are no number", () => {
  assert.equal(typedNumber(" 44,5 "), 44.5);
  assert.equal(typedNumber("44.5 C"), null);
  assert.equal(typedNumber(""), null);
});

test("an unknown site is written in plain words", () => {
  assert.equal(channelName({ role: "site", site: "liver_bed" }), "Liver bed");
  assert.equal(shortName({ role: "site", site: "liver_bed" }), "Liver bed");
  assert.equal(channelName({ role: "iap", site: "" }), "Pressure abdomen");
});

test("the six sites of the room and the circuit can be told apart", () => {
  const looks = [
    ...Array.from({ length: 6 }, (_, index) => lookOf({ role: "site" }, index)),
    lookOf({ role: "inflow" }, 0),
    lookOf({ role: "outflow" }, 0),
    lookOf({ role: "core" }, 0),
    lookOf({ role: "core" }, 1),
  ];
  const seen = new Set(looks.map((look) => `${look.hue} ${look.style}`));
  assert.equal(seen.size, looks.length);
});

test("the service's own sentence is what the user reads", () => {
  assert.equal(wordsOf({ state: "refused", reason: "Not in this phase." }), "Not in this phase.");
  assert.equal(wordsOf({ detail: "Sign in first." }), "Sign in first.");
  const fields = { detail: [{ loc: ["body", "args", "c"], msg: "must be a number" }] };
  assert.equal(wordsOf(fields), "c: must be a number");
  assert.equal(wordsOf({}), "");
});

test("set-up sends what was entered and leaves out what was not", () => {
  const typed = { height: "170", weight: "70,5", duration: "", label: "" };
  const { args, problem } = argumentsOf("closed-mmc-90", (name) => typed[name]);
  assert.equal(problem, "");
  assert.deepEqual(args, { protocol: "closed-mmc-90", height_cm: 170, weight_kg: 70.5 });
});

test("set-up with a word for a number or without a protocol is not sent", () => {
  assert.notEqual(argumentsOf("closed-mmc-90", () => "tall").problem, "");
  assert.equal(argumentsOf("closed-mmc-90", () => "tall").field, "height_cm");
  assert.notEqual(argumentsOf("", () => "170").problem, "");
});

test("a typed time is today's, or yesterday's when it has not come yet", () => {
  const now = new Date(2026, 0, 2, 0, 10, 0);
  assert.equal(typedTime("0:05", now), new Date(2026, 0, 2, 0, 5, 0).toISOString());
  assert.equal(typedTime("23:58:30", now), new Date(2026, 0, 1, 23, 58, 30).toISOString());
});

test("what is no time of day is not sent as one", () => {
  const now = new Date(2026, 0, 2, 12, 0, 0);
  for (const text of ["", "25:00", "10:61", "soon"]) assert.equal(typedTime(text, now), null);
});

test("a phase stands in the log by its title", () => {
  const steps = [{ phase: "heat_up", title: "Heat up" }];
  assert.equal(eventWords({ kind: "phase", text: "heat_up" }, steps), "Heat up");
  assert.equal(eventWords({ kind: "phase", text: "drug_addition" }, []), "drug addition");
  assert.equal(eventWords({ kind: "note", text: "heat_up" }, steps), "heat_up");
});

test("a refusal is said in the words of the entry that it is about", () => {
  assert.deepEqual(aboutField("duration_min 5 is outside 90 to 90", ""), {
    failure: "Duration 5 is outside 90 to 90",
    field: "duration_min",
  });
  assert.deepEqual(aboutField("args.c: Input should be less than 100", "args.c"), {
    failure: "Temperature Input should be less than 100",
    field: "c",
  });
  assert.equal(aboutField("label says 50 mg: 20% apart needs a second name", "").field, "second");
  assert.deepEqual(aboutField("finish the treatment first", ""), {
    failure: "finish the treatment first",
    field: "",
  });
});
