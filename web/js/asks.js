/**
 * Requests of anesthesia to the pump: four buttons on their page, and a strip on the perfusionist's
 * that calls until each is answered. Both show how long it took.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Request} Request
 * @typedef {import("./commands.js").Send} Send
 */
import { roomIsLive } from "./ages.js";
import { buttonById, byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./texts.js";

export const KINDS = /** @type {const} */ (["reduce_heat", "heat_hold", "lower_pressure", "pause"]);

/** @param {PageState} state */
export const openRequests = (state) =>
  (state.room?.requests ?? []).filter((request) => request.accepted === null);

/** How long a request has waited by now. @param {PageState} state @param {Request} request
 * @param {number} nowMs */
function waitedS(state, request, nowMs) {
  const sinceS = state.snapshotMs === null ? 0 : (nowMs - state.snapshotMs) / 1000;
  return request.waits_s + (request.accepted === null ? sinceS : 0);
}

/**
 * What became of the last request of a kind.
 * @param {PageState} state
 * @param {string} kind
 * @param {number} nowMs
 * @returns {{state: ""|"open"|"accepted"|"declined", text: string}}
 */
export function requestWords(state, kind, nowMs) {
  const last = (state.room?.requests ?? []).findLast((request) => request.kind === kind);
  if (!last) return { state: "", text: "" };
  const time = clock(waitedS(state, last, nowMs));
  if (last.accepted === null) return { state: "open", text: t.team.asked(time) };
  if (last.accepted) return { state: "accepted", text: t.team.accepted(time) };
  return { state: "declined", text: t.team.declined(last.reason) };
}

/** Anesthesia's buttons. @param {PageState} state @param {number} nowMs */
export function drawAsking(state, nowMs) {
  const live = roomIsLive(state, nowMs) && Boolean(state.room?.session);
  const may = state.you === null || state.you.may.includes("request");
  for (const kind of KINDS) {
    const words = requestWords(state, kind, nowMs);
    const failure = state.asked[kind]?.failure ?? "";
    setAttribute(byId(`ask-${kind}`), "data-state", words.state);
    buttonById(`ask-${kind}`).disabled = !live || !may || words.state === "open";
    setText(byId(`asked-${kind}`), failure || words.text);
  }
}

/** @param {Send} send */
export function wireAsking(send) {
  for (const kind of KINDS) {
    buttonById(`ask-${kind}`).onclick = () => send("request", { kind }, { control: kind });
  }
}

/**
 * The strip on the perfusionist's page; it takes no room while nobody asks.
 * @param {PageState} state
 * @param {number} nowMs
 * @param {Send} send
 */
export function drawRequests(state, nowMs, send) {
  const open = openRequests(state);
  const strip = byId("requests");
  strip.hidden = !open.length;
  rebuildOnChange(strip, open.map((request) => request.number).join() || "none", () =>
    open.map((request) => requestRow(request, send)),
  );
  for (const request of open) {
    const time = clock(waitedS(state, request, nowMs));
    setText(byId(`request-time-${request.number}`), t.team.waiting(time));
    const failure = state.asked[`request-${request.number}`]?.failure ?? "";
    const note = byId(`request-note-${request.number}`);
    if (failure) setText(note, failure);
  }
}

/** @param {Request} request @param {Send} send */
function requestRow({ number, kind, text }, send) {
  const control = `request-${number}`;
  const why = /** @type {HTMLInputElement} */ (
    make("input", { autocomplete: "off", "aria-label": t.team.declineWhy, hidden: "" })
  );
  const note = make("span", { id: `request-note-${number}`, class: "message", role: "alert" });
  const accept = make("button", { class: "primary", text: t.team.accept });
  const decline = make("button", { text: t.team.decline });
  accept.onclick = () => send("answer", { kind, accepted: true }, { control });
  decline.onclick = () => {
    if (why.hidden) {
      why.hidden = false;
      why.placeholder = t.team.declineWhy;
      setText(decline, t.team.declineSend);
      why.focus();
    } else if (!why.value.trim()) setText(note, t.team.declineNeedsReason);
    else send("answer", { kind, accepted: false }, { control, reason: why.value.trim() });
  };
  return make(
    "div",
    { class: "request", "data-testid": `request-${kind}` },
    make("strong", { text: t.team.asksFor(t.team.kinds[/** @type {"pause"} */ (kind)] ?? text) }),
    make("span", { id: `request-time-${number}`, class: "request-time" }),
    accept,
    decline,
    why,
    note,
  );
}
