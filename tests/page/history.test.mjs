import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../web/js/history.js";

/** What is drawn of one channel: [seconds, degrees or a gap] of each point that is not joined over. */
function seen(/** @type {History} */ history, id = "pelvis", from = 0) {
  const points = [];
  history.forEach(id, from, (atS, value) => points.push([atS, value]));
  return points;
}

test("readings closer than the gap are joined, further apart they are not", () => {
  const history = new History(1);
  history.add("pelvis", 0, 42.0, 3);
  history.add("pelvis", 2, 42.2, 3);
  history.add("pelvis", 9, 42.9, 3);
  assert.deepEqual(seen(history), [[0, 42.0], [2, 42.2], [8, null], [9, 42.9]]);
});

test("an invalid reading is a gap and not a zero", () => {
  const history = new History(1);
  history.add("pelvis", 0, 42.0, 3);
  history.add("pelvis", 1, null, 3);
  history.add("pelvis", 2, 42.0, 3);
  assert.deepEqual(seen(history), [[0, 42.0], [1, null], [2, 42.0]]);
});

test("all channels share one grid, whenever they began", () => {
  const history = new History(20);
  for (let atS = 0; atS <= 100; atS += 4) history.add("pelvis", atS, 42, 60);
  history.add("inflow", 100, 44, 60);
  assert.equal(history.stepS, 5);
  assert.equal(history.length, 21);
  assert.equal(seen(history, "inflow").length, 21);
  assert.deepEqual(seen(history, "inflow").slice(19), [[95, null], [100, 44]]);
});

test("three hours are kept and memory stays flat beyond", () => {
  const history = new History(1);
  for (let atS = 0; atS < 5 * 3600; atS += 1) history.add("pelvis", atS, 42, 3);
  const points = seen(history);
  assert.ok(points.length > 2.6 * 3600 && points.length <= 3 * 3600);
  assert.equal(history.lines.get("pelvis")?.values.length, 3 * 3600);
  assert.equal(history.newestS, 5 * 3600 - 1);
  assert.deepEqual(points, points.map((_, at) => [5 * 3600 - points.length + at, 42]));
});

test("a silence that outlasts what is kept leaves nothing old under new times", () => {
  const history = new History(1);
  for (let atS = 0; atS < 3 * 3600; atS += 1) history.add("pelvis", atS, 41, 3);
  history.add("inflow", 6 * 3600 - 1, 44, 3);
  assert.deepEqual([seen(history), seen(history, "inflow").at(-1)], [[], [6 * 3600 - 1, 44]]);
});

test("a clock that starts anew starts the curve anew", () => {
  const history = new History(1);
  history.add("pelvis", 50_000, 42, 3);
  history.add("pelvis", 10, 41, 3);
  assert.deepEqual(seen(history), [[10, 41]]);
});

test("the last five minutes begin at the right grid point", () => {
  const history = new History(1);
  for (let atS = 0; atS <= 1000; atS += 1) history.add("pelvis", atS, 42, 3);
  assert.equal(history.timeAt(history.indexSince(300)), 700);
});

test("what the service has kept is joined, its gaps stay gaps, and new readings go on", () => {
  const history = History.of(1, {
    step_s: 5,
    times_s: [100, 105, 110, 115],
    channels: { pelvis: [42, 42.1, null, 42.3] },
  });
  history.add("pelvis", 116, 42.4, 3);
  assert.deepEqual(seen(history), [[100, 42], [105, 42.1], [110, null], [115, 42.3], [116, 42.4]]);
});
