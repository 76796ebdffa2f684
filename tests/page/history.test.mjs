import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../web/js/history.js";

test("readings closer than the gap are joined, further apart they are not", () => {
  const history = new History(1);
  history.add("pelvis", 0, 42.0, 3);
  history.add("pelvis", 2, 42.2, 3);
  history.add("pelvis", 9, 42.9, 3);
  const values = history.valuesOf("pelvis");
  assert.equal(values[1], undefined);
  assert.equal(values[8], null);
  assert.deepEqual([values[0], values[2], values[9]], [42.0, 42.2, 42.9]);
});

test("an invalid reading is a gap and not a zero", () => {
  const history = new History(1);
  history.add("pelvis", 0, 42.0, 3);
  history.add("pelvis", 1, null, 3);
  history.add("pelvis", 2, 42.0, 3);
  assert.deepEqual(history.valuesOf("pelvis"), [42.0, null, 42.0]);
});

test("all channels share one grid, whenever they began", () => {
  const history = new History(20);
  for (let atS = 0; atS <= 100; atS += 4) history.add("pelvis", atS, 42, 60);
  history.add("inflow", 100, 44, 60);
  assert.equal(history.stepS, 5);
  assert.equal(history.timesS.length, 21);
  assert.equal(history.valuesOf("inflow").length, 21);
  assert.equal(history.valuesOf("inflow")[20], 44);
});

test("three hours are kept and memory stays flat beyond", () => {
  const history = new History(1);
  for (let atS = 0; atS < 5 * 3600; atS += 1) history.add("pelvis", atS, 42, 3);
  assert.ok(history.timesS.length <= 3 * 3600);
  assert.equal(history.valuesOf("pelvis").length, history.timesS.length);
  assert.equal(history.newestS, 5 * 3600 - 1);
});

test("a clock that starts anew starts the curve anew", () => {
  const history = new History(1);
  history.add("pelvis", 50_000, 42, 3);
  history.add("pelvis", 10, 41, 3);
  assert.deepEqual(history.timesS, [10]);
  assert.deepEqual(history.valuesOf("pelvis"), [41]);
});

test("the last five minutes begin at the right grid point", () => {
  const history = new History(1);
  for (let atS = 0; atS <= 1000; atS += 1) history.add("pelvis", atS, 42, 3);
  assert.equal(history.timesS[history.indexSince(300)], 700);
});

test("what the service has kept is joined, its gaps stay gaps, and new readings go on", () => {
  const history = History.of(1, {
    step_s: 5,
    times_s: [100, 105, 110, 115],
    channels: { pelvis: [42, 42.1, null, 42.3] },
  });
  history.add("pelvis", 116, 42.4, 3);
  const values = history.valuesOf("pelvis");
  assert.equal(values[0], 42);
  assert.equal(values[1], undefined, "joined over");
  assert.equal(values[10], null, "a gap");
  assert.deepEqual(values.slice(15), [42.3, 42.4]);
});
