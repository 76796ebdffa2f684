/** The alarm sounds as they are written down; what a browser makes of them is measured elsewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HARMONICS, TIMES, burstOf, categoryOf, waveOf } from "../../web/js/sound.js";

const CATEGORIES = ["general", "temperature", "perfusion"];

test("a high burst has ten pulses, a medium one three, a low one two", () => {
  for (const category of CATEGORIES) {
    const counts = ["high", "medium", "low"].map((one) => burstOf(one, category).pulses.length);
    assert.deepEqual(counts, [10, 3, 2]);
  }
});

test("a medium pulse with its spacing is never shorter than a high one with its own", () => {
  const length = ({ pulseS, spacingS }) => pulseS + spacingS;
  assert.ok(length(TIMES.medium) >= length(TIMES.high));
});

test("medium is the beginning of high, so that the melody is the same", () => {
  for (const category of CATEGORIES) {
    const notes = (priority) => burstOf(priority, category).pulses.map((pulse) => pulse.hz);
    assert.deepEqual(notes("medium"), notes("high").slice(0, 3));
    assert.deepEqual(notes("high").slice(5), notes("high").slice(0, 5));
  }
});

test("the wave never clips and is silent between bursts", () => {
  const burst = burstOf("high", "temperature");
  const wave = waveOf(burst, 8000);
  assert.ok(Math.max(...wave.map(Math.abs)) < 1);
  const last = burst.pulses.at(-1);
  assert.ok(wave.subarray(Math.ceil((last.atS + last.lengthS) * 8000)).every((one) => one === 0));
  assert.ok(HARMONICS.length >= 4);
});

test("an alarm sounds as what it is about", () => {
  const expected = {
    core_high: "temperature",
    inflow_isolate: "temperature",
    heater_not_off: "temperature",
    iap_high: "perfusion",
    no_flow: "perfusion",
    reservoir_low: "perfusion",
    reservoir_high: "temperature",
    display_lost: "general",
    contact_overtime: "general",
  };
  for (const [id, category] of Object.entries(expected)) assert.equal(categoryOf(id), category, id);
});
