/**
 * Where each litre and each milligram is, and why it may not add up.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Ledger} Ledger
 */
import { byId, make, rebuildOnChange } from "./dom.js";
import { fixed, litres } from "./format.js";
import { t } from "./texts.js";

/**
 * The ledger's lines as label and figure.
 * @param {Ledger|null|undefined} ledger
 * @returns {[string, string][]}
 */
export function ledgerLines(ledger) {
  if (!ledger) return [];
  /** @type {[string, string][]} */
  const lines = [];
  const add = (/** @type {string} */ label, /** @type {number} */ ml, sign = "") =>
    lines.push([label, `${sign}${litres(ml)} ${t.litres}`]);
  for (const [kind, ml] of Object.entries(ledger.in_ml)) add(t.volumeKinds[kind] ?? kind, ml, "+");
  for (const [kind, ml] of Object.entries(ledger.out_ml)) add(t.volumeKinds[kind] ?? kind, ml, "−");
  add(t.retained, ledger.retained_ml);
  if (ledger.reservoir_ml !== null) add(t.reservoirHolds, ledger.reservoir_ml);
  if (ledger.missing_ml !== null) add(t.missing, ledger.missing_ml);
  add(t.pumped, ledger.pumped_ml);
  const { drug } = ledger;
  if (!drug) return lines;
  const given = drug.given_mg.reduce((sum, mg) => sum + mg, 0);
  lines.push([t.drugGiven, t.ofMg(fixed(given, 1), fixed(drug.label_mg, 1))]);
  lines.push([t.drugDrained, `${fixed(drug.drained_mg_estimate, 1)} mg`]);
  lines.push([t.drugInside, `${fixed(drug.in_circuit_or_patient_mg_estimate, 1)} mg`]);
  return lines;
}

/** @param {PageState} state */
export function drawLedger(state) {
  const ledger = state.room?.ledger;
  const lines = ledgerLines(ledger);
  rebuildOnChange(byId("ledger"), lines.flat().join() || "none", () =>
    lines.map(([label, figure]) =>
      make("div", {}, make("dt", { text: label }), make("dd", { text: figure })),
    ),
  );
  const causes = ledger?.causes ?? [];
  rebuildOnChange(byId("ledger-causes"), causes.join() || "none", () =>
    causes.map((cause) => make("li", { text: cause })),
  );
}
