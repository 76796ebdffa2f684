/** What the page shows beyond the readings: forecasts, the abdomen, the ledger, the summary. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { labelRows, markOf } from "../../web/js/abdomen.js";
import { fansOf, outlookOf } from "../../web/js/fan.js";
import { ledgerLines } from "../../web/js/ledger.js";
import { outlookWords } from "../../web/js/outlook.js";
import { initialState, reduce } from "../../web/js/reduce.js";
import { summaryLines } from "../../web/js/summary.js";
import { alarm, channel, snapshot } from "./room.mjs";

const at = (value_c, within_c) => ({ value_c, within_c });
const OUTLOOK = {
  at_s: 0.5,
  horizons_s: [120, 600],
  ahead: {
    pelvis: [at(42.5, 0.1), at(42.8, 0.3)],
    mid_abdomen: [at(43.0, 0.1), at(43.2, 0.4)],
    core: [at(37.7, 0.1), at(38.1, 0.2)],
    mean: [at(42.8, 0.1), at(43.0, 0.2)],
  },
  gate_in_s: 0,
  band_in_s: 0,
  core_high_in_s: null,
  steady_mean_c: 43.1,
  steady_coldest_c: 42.6,
  steady_hottest_c: 43.4,
};
const TARGET = { role: "site", statistic: "mean", low_c: 42.5, high_c: 43.5 };
const opened = (overrides) => reduce(snapshot(overrides), initialState(), 0);

test("the fan opens from the readings now to the ranges at two and ten minutes", () => {
  const { sites, core } = fansOf(opened({ outlook: OUTLOOK }), 1);
  assert.deepEqual(
    sites.map(({ atS, low, high }) => [atS, Number(low.toFixed(2)), Number(high.toFixed(2))]),
    [
      [1, 42.4, 43],
      [120.5, 42.4, 43.1],
      [600.5, 42.5, 43.6],
    ],
  );
  assert.deepEqual([core[0].low, core[0].high], [37.6, 37.6], "the deciding core, not the bladder");
  assert.equal(core.length, 3);
});

test("a forecast that the room has stopped making is not shown", () => {
  const state = opened({ outlook: OUTLOOK, at_ns: 70_000_000_000 });
  assert.equal(outlookOf(state), null);
  assert.deepEqual(fansOf(state, 70), { sites: [], core: [] });
  assert.equal(outlookWords(outlookOf(state)), "");
});

test("without a valid site there is no fan to start from", () => {
  const lost = channel("site", "pelvis", { validity: "invalid", value: null });
  const state = opened({ outlook: OUTLOOK, channels: { pelvis: lost } });
  assert.deepEqual(fansOf(state, 1), { sites: [], core: [] });
});

test("the forecast in words says its range, and what is reached", () => {
  assert.equal(
    outlookWords(OUTLOOK),
    "In 10 min: sites 43.0 ± 0.2 °C · core 38.1 ± 0.2 °C · sites can reach 43.1 °C (42.6–43.4)",
  );
  const early = outlookWords({ ...OUTLOOK, gate_in_s: 300, core_high_in_s: 480 });
  assert.match(early, /gate in 5:00 · core at its limit in 8:00/);
});

test("a probe's mark tells band and validity apart without colour", () => {
  const site = channel("site", "pelvis");
  const mark = (value, validity = "valid") =>
    markOf({ ...site, validity }, { value, age: "fresh", reason: "" }, TARGET);
  assert.deepEqual(
    [mark(43), mark(43.6), mark(42.4), mark(43, "questionable"), mark(null)],
    ["valid", "above", "below", "questionable", "gone"],
  );
  const core = { ...channel("core", "bladder"), validity: "valid" };
  assert.equal(markOf(core, { value: 38, age: "fresh", reason: "" }, TARGET), "valid");
});

test("labels beside the drawing never touch, and stay on it", () => {
  const rows = labelRows([
    { id: "a", y: 230 },
    { id: "b", y: 240 },
    { id: "c", y: 245 },
    { id: "d", y: 20 },
  ]);
  const found = ["d", "a", "b", "c"].map((id) => rows.get(id));
  assert.deepEqual(found, [20, 152, 196, 240]);
});

test("the ledger says where each litre and milligram is", () => {
  const ledger = {
    in_ml: { prime: 3000, drug: 250 },
    out_ml: { drained: 2900 },
    pumped_ml: 45_000,
    reservoir_ml: null,
    retained_ml: 350,
    missing_ml: null,
    causes: [],
    drug: {
      label_mg: 60,
      given_mg: [30, 15],
      drained_mg_estimate: 40,
      in_circuit_or_patient_mg_estimate: 5,
    },
  };
  const lines = Object.fromEntries(ledgerLines(ledger));
  assert.equal(lines["Priming fluid in"], "+3.00 L");
  assert.equal(lines["Drained"], "−2.90 L");
  assert.equal(lines["In circuit and patient"], "0.35 L");
  assert.equal(lines["Drug given"], "45.0 of 60.0 mg");
  assert.deepEqual(ledgerLines(null), []);
});

test("the summary counts what was in band, what was given and what sounded", () => {
  const state = opened({
    phase: "complete",
    title: "Closed technique",
    clocks: {
      elapsed_s: 1800,
      in_band_s: 1350,
      out_of_band_s: 400,
      unobserved_s: 50,
      duration_s: 1800,
      contact_s: 1900,
    },
    drug: { fractions: [{ number: 1, share: 1, mg: 60, given_utc: null }] },
    volumes: { in_ml: 3000, out_ml: 2900, retained_ml: 100 },
    checklist: [{ done: true }, { done: false }],
    past_alarms: [{ priority: "high" }, { priority: "low" }],
    alarms: [alarm("a", "high")],
    not_guarded: [],
  });
  const lines = Object.fromEntries(summaryLines(state));
  assert.equal(lines["In band"], "22:30 (75 %)");
  assert.equal(lines["Fraction 1 · 100 % · 60.0 mg"], "not given");
  assert.equal(lines["In / out / kept, L"], "3.00 / 2.90 / 0.10");
  assert.equal(lines["Alarms high / medium / low"], "2 / 0 / 1");
  assert.equal(lines["Checks not confirmed"], "1");
});
