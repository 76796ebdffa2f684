import assert from "node:assert/strict";
import { test } from "node:test";
import { bannerOf, listKey, nextToAcknowledge } from "../../web/js/banner.js";
import { rangeOf, splitsOf } from "../../web/js/curve.js";
import { detailOf, needsOf, outcomeOf } from "../../web/js/outcomes.js";
import { initialState, reduce } from "../../web/js/reduce.js";
import { alarm, message, snapshot } from "./room.mjs";

const opened = (overrides) => reduce(snapshot(overrides), initialState(), 0);

test("without alarms the banner is quiet", () => {
  const view = bannerOf(opened(), 100);
  assert.deepEqual([view.priority, view.signal], ["none", "none"]);
});

test("high and medium flash, low is steady, acknowledged is quiet but stays", () => {
  const signalOf = (...one) => bannerOf(opened({ alarms: [alarm("a", ...one)] }), 100).signal;
  assert.equal(signalOf("high"), "flash");
  assert.equal(signalOf("medium", "latched"), "flash");
  assert.equal(signalOf("low"), "steady");
  assert.equal(signalOf("high", "acknowledged"), "quiet");
});

test("the loss of the room stands above every alarm of the room", () => {
  const view = bannerOf(opened({ alarms: [alarm("a", "medium")] }), 3001);
  assert.deepEqual([view.id, view.priority, view.alarm], ["no_connection", "high", null]);
});

test("acknowledge means the highest alarm that still calls", () => {
  const alarms = [alarm("a", "high", "acknowledged"), alarm("b", "medium"), alarm("c", "low")];
  assert.equal(nextToAcknowledge(opened({ alarms })).occurrence, "b");
});

test("the list is written anew when an alarm escalates, its time is known, or somebody saw it", () => {
  const medium = { ...alarm("a", "medium"), since_utc: undefined };
  const changes = [{ priority: "high" }, { since_utc: "2026-11-24T03:00:00Z" }, { seen_by: "A. Two" }];
  for (const change of changes) {
    assert.notEqual(listKey([medium]), listKey([{ ...medium, ...change }]));
  }
  assert.equal(listKey([medium]), listKey([{ ...medium, value: 39.3 }]), "not under the finger");
});

test("a refusal is said in the service's words beside the control that asked", () => {
  const asked = { type: "asked", control: "mode", key: "k", name: "set_controller" };
  const refused = message({
    type: "command",
    seq: 11,
    key: "k",
    name: "set_controller",
    state: "refused",
    reason: "Automatic needs a flow meter.",
  });
  const state = reduce(refused, reduce(asked, opened(), 1), 2);
  assert.equal(outcomeOf(state, "mode").state, "refused");
  assert.match(outcomeOf(state, "mode").text, /Automatic needs a flow meter/);
  assert.equal(outcomeOf(state, "flow").text, "");
});

test("a granted flow is said in the unit of the control, with what limited it", () => {
  const command = { name: "set_flow", requested: 1800, granted: 1500, limited_by: "protocol" };
  assert.equal(detailOf(command), "asked 1.80 granted 1.50 (protocol)");
});

test("the curve's range stays put in treatment and opens for what lies outside", () => {
  assert.deepEqual(rangeOf(37, 46), [35, 47]);
  assert.deepEqual(rangeOf(21.5, 48.2), [20, 50]);
  assert.deepEqual(rangeOf(null, null), [35, 47]);
});

test("the time axis counts round minutes from drug-in, and back from now before it", () => {
  const minutes = (axis, origin) => splitsOf(axis).map((split) => (split - origin) / 60);
  assert.deepEqual(
    minutes({ nowS: 1000, zeroS: 400, spanS: 1800, aheadS: 0 }, 400),
    [-20, -15, -10, -5, 0, 5, 10],
  );
  assert.deepEqual(
    minutes({ nowS: 1000, zeroS: null, spanS: 600, aheadS: 0 }, 1000),
    [-10, -8, -6, -4, -2, 0],
  );
  assert.deepEqual(
    minutes({ nowS: 1000, zeroS: null, spanS: 1800, aheadS: 600 }, 1000),
    [-20, -15, -10, -5, 0, 5, 10],
    "what is foreseen stands right of now",
  );
});

test("the needs of the next action are told one by one: its open checks, then the rest", () => {
  const item = (text, before, done) => ({ text, before, done });
  const next_action = {
    name: "start_phase",
    args: { phase: "fill" },
    enabled: false,
    needs: ["checklist: A; B", "reservoir at 41 °C"],
  };
  const checklist = [item("A", "fill", false), item("B", "fill", false), item("C", "prime", false)];
  const state = opened({ next_action, checklist: [...checklist, item("D", "fill", true)] });
  assert.deepEqual(needsOf(state), ["A", "B", "reservoir at 41 °C"]);
  assert.deepEqual(needsOf(opened({ next_action: { ...next_action, enabled: true } })), []);
});
