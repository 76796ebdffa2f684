/**
 * Setting up a treatment while no session is open.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 * @typedef {import("./commands.js").Refuse} Refuse
 * @typedef {{id: string, title: string, technique: string, duration_min: number,
 *   description: string, drug: string|null, dose_mg_m2: number|null, carriers: string[]}} Listed
 */
import { roomIsLive } from "./ages.js";
import { byId, inputById, make, setText } from "./dom.js";
import { typedNumber } from "./format.js";
import { t } from "./texts.js";

const RETRY_MS = 2000;
/** A demonstration starts with one press; in a real room a person enters the patient. */
const DEMO_PATIENT = { height: "170", weight: "70" };

/** @type {Listed[]} */
let listed = [];
let prefilled = false;

/** @param {PageState} state @param {number} nowMs */
export function drawSetup(state, nowMs) {
  const open = Boolean(state.room?.session) || !state.room;
  byId("setup").hidden = open;
  byId("curve-panel").hidden = !open;
  const start = /** @type {HTMLButtonElement} */ (byId("setup-start"));
  start.disabled = !roomIsLive(state, nowMs) || !listed.length;
  if (prefilled || !state.mode) return;
  prefilled = true;
  if (state.mode !== "demo") return;
  inputById("setup-height").value = DEMO_PATIENT.height;
  inputById("setup-weight").value = DEMO_PATIENT.weight;
}

/** @param {Send} send @param {Refuse} refuse */
export function wireSetup(send, refuse) {
  const select = /** @type {HTMLSelectElement} */ (byId("setup-protocol"));
  select.onchange = () => describe(select.value);
  byId("setup").addEventListener("submit", (event) => {
    event.preventDefault();
    const { args, problem } = argumentsOf(select.value, (name) => inputById(`setup-${name}`).value);
    if (problem) return refuse("setup", problem);
    send("open_session", args, { control: "setup" });
  });
  void loadProtocols(select);
}

/**
 * @param {string} protocol
 * @param {(name: string) => string} typed
 * @returns {{args: Record<string, unknown>, problem: string}}
 */
export function argumentsOf(protocol, typed) {
  /** @type {Record<string, unknown>} */
  const args = { protocol };
  if (!protocol) return { args, problem: t.protocolMissing };
  const fields = { height: "height_cm", weight: "weight_kg", duration: "duration_min" };
  for (const [name, argument] of Object.entries(fields)) {
    const text = typed(name);
    if (!text.trim()) continue;
    const value = typedNumber(text);
    if (value === null) return { args, problem: t.numberMissing };
    args[argument] = value;
  }
  return { args, problem: "" };
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
    setText(byId("setup-about"), t.protocolsFailed);
    setTimeout(loadProtocols, RETRY_MS, select);
  }
}

/** @param {string} id */
function describe(id) {
  const one = listed.find((protocol) => protocol.id === id);
  if (!one) return;
  const drug = one.drug && one.dose_mg_m2 ? t.drugDose(one.drug, one.dose_mg_m2) : "";
  const parts = [t.duration(one.duration_min), drug, one.carriers.join(" / "), one.description];
  setText(byId("setup-about"), parts.filter(Boolean).join(" · "));
}
