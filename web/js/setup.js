/**
 * Setting up a treatment while no session is open: protocol, patient, dose, carrier.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 * @typedef {(control: string, reason: string, field?: string) => void} Refuse
 * @typedef {{id: string, title: string, technique: string, duration_min: number,
 *   description: string, drug: string|null, dose_mg_m2: number|null, carriers: string[]}} Listed
 */
import { roomIsLive } from "./ages.js";
import { byId, inputById, make, setAttribute, setText } from "./dom.js";
import { typedNumber } from "./format.js";
import { t } from "./texts.js";

const RETRY_MS = 2000;
const ASK_AFTER_MS = 300;
/** A demonstration starts with one press; in a real room a person enters the patient. */
const DEMO_PATIENT = { height: "170", weight: "70" };

/** What the entries are called in a command. @type {Record<string, string>} */
const NUMBERS = {
  height: "height_cm",
  weight: "weight_kg",
  duration: "duration_min",
  label: "dose_mg",
};
const ENTRIES = [...Object.keys(NUMBERS), "second"];

/** @type {Listed[]} */
let listed = [];
let prefilled = false;
/** What the service said about an entry while it was typed. @type {Record<string, string>} */
let wrong = {};
let timer = 0;

/** @param {PageState} state @param {number} nowMs */
export function drawSetup(state, nowMs) {
  const open = Boolean(state.room?.session) || !state.room;
  byId("setup").hidden = open;
  const stage = open ? (state.room?.phase === "complete" ? "after" : "during") : "before";
  setAttribute(byId("centre"), "data-stage", stage);
  const start = /** @type {HTMLButtonElement} */ (byId("setup-start"));
  start.disabled = !roomIsLive(state, nowMs) || !listed.length;
  sayBeside(state);
  if (prefilled || !state.mode) return;
  prefilled = true;
  if (state.mode !== "demo") return;
  inputById("setup-height").value = DEMO_PATIENT.height;
  inputById("setup-weight").value = DEMO_PATIENT.weight;
  calculate();
}

/** What is wrong stands beside its entry. @param {PageState} state */
function sayBeside(state) {
  const refused = state.asked["setup"];
  for (const name of ENTRIES) {
    const mine = refused?.field && (refused.field === NUMBERS[name] || refused.field === name);
    const text = mine ? refused.failure : (wrong[name] ?? "");
    setText(byId(`error-${name}`), text);
    setAttribute(byId(`setup-${name}`), "aria-invalid", String(Boolean(text)));
  }
}

/** @param {Send} send @param {Refuse} refuse */
export function wireSetup(send, refuse) {
  const select = chooser("protocol");
  select.onchange = () => describe(select.value);
  for (const name of ["height", "weight"]) inputById(`setup-${name}`).oninput = calculateSoon;
  byId("setup").addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = (/** @type {string} */ name) => inputById(`setup-${name}`).value;
    const { args, problem, field } = argumentsOf(select.value, typed);
    if (problem) return refuse("setup", problem, field);
    const carrier = chooser("carrier").value;
    if (carrier) args["carrier"] = carrier;
    void send("open_session", args, { control: "setup", second: typed("second").trim() });
  });
  void loadProtocols(select);
}

/** @param {string} name @returns {HTMLSelectElement} */
const chooser = (name) => /** @type {HTMLSelectElement} */ (byId(`setup-${name}`));

/**
 * @param {string} protocol
 * @param {(name: string) => string} typed
 * @returns {{args: Record<string, unknown>, problem: string, field: string}}
 */
export function argumentsOf(protocol, typed) {
  /** @type {Record<string, unknown>} */
  const args = { protocol };
  if (!protocol) return { args, problem: t.protocolMissing, field: "protocol" };
  for (const [name, argument] of Object.entries(NUMBERS)) {
    const text = typed(name);
    if (!text.trim()) continue;
    const value = typedNumber(text);
    if (value === null) return { args, problem: t.numberMissing, field: argument };
    args[argument] = value;
  }
  return { args, problem: "", field: "" };
}

/** @param {HTMLSelectElement} select */
async function loadProtocols(select) {
  try {
    const answer = await fetch("/api/protocols");
    if (!answer.ok) throw new Error(answer.statusText);
    listed = await answer.json();
    select.replaceChildren(
      ...listed.map((one) => make("option", { value: one.id, text: one.title })),
    );
    const closed = listed.find((one) => one.technique === "closed");
    if (closed) select.value = closed.id;
    describe(select.value);
  } catch {
    setText(byId("about-protocol"), t.protocolsFailed);
    setTimeout(loadProtocols, RETRY_MS, select);
  }
}

/** @param {string} id */
function describe(id) {
  const one = listed.find((protocol) => protocol.id === id);
  if (!one) return;
  const technique = one.technique === "open" ? t.open : t.closed;
  const dose = one.drug && one.dose_mg_m2 ? t.drugDose(one.drug, one.dose_mg_m2) : "";
  const parts = [technique, t.duration(one.duration_min), dose, one.description];
  setText(byId("about-protocol"), parts.filter(Boolean).join(" · "));
  chooser("carrier").replaceChildren(
    ...one.carriers.map((carrier) => make("option", { value: carrier, text: carrier })),
  );
  for (const name of ["carrier", "label", "second"]) byId(`field-${name}`).hidden = !one.drug;
  calculate();
}

function calculateSoon() {
  clearTimeout(timer);
  timer = setTimeout(calculate, ASK_AFTER_MS);
}

/** The service does the arithmetic, so that page and record cannot differ. */
async function calculate() {
  const [height, weight] = ["height", "weight"].map((name) =>
    typedNumber(inputById(`setup-${name}`).value),
  );
  const protocol = chooser("protocol").value;
  wrong = {};
  if (height == null || weight == null || !protocol) return setText(byId("setup-dose"), "");
  const query = new URLSearchParams({
    protocol,
    height_cm: String(height),
    weight_kg: String(weight),
  });
  try {
    const answer = await fetch(`/api/v1/dose?${query}`);
    const body = await answer.json();
    setText(byId("setup-dose"), answer.ok ? body.text : "");
    const field = { height_cm: "height", weight_kg: "weight" }[String(body.field)];
    if (!answer.ok && field) wrong = { [field]: String(body.reason).replace(/^\w+: /, "") };
  } catch {
    setText(byId("setup-dose"), "");
  }
}
