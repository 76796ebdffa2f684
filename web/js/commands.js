/** Commands to the service. Every press has its own key; a repeat of a lost request keeps it. */
import { t } from "./texts.js";

const ANSWER_LIMIT_MS = 3000;
const ATTEMPTS = 2;

/**
 * @typedef {{control: string, second?: string, reason?: string}} Options
 * `control` names the place beside which a refusal is shown.
 * @typedef {(name: string, args: Record<string, unknown>, options: Options) => Promise<boolean>} Send
 * True once the core has taken the command; what was typed may then be cleared, never before.
 * @typedef {(control: string, reason: string) => void} Refuse
 * Says beside a control what is wrong with an entry that was therefore not sent.
 */

/**
 * @param {(message: import("./types.js").Message) => void} onMessage gets `asked` and `failed`
 * @param {() => number|null} roomNs the room's clock now, null where it is not known
 * @returns {Send}
 */
export function makeSender(onMessage, roomNs) {
  return async (name, args, { control, second = "", reason = "" }) => {
    const key = newKey();
    onMessage({ type: "asked", control, key, name });
    const { failure, field } = await post(key, { name, args, reason, second }, roomNs);
    if (failure) onMessage({ type: "failed", control, key, reason: failure, field });
    return !failure;
  };
}

/**
 * Where a page comes over plain HTTP from another machine, browsers hide `randomUUID`.
 * @returns {string}
 */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} key
 * @param {object} body
 * @param {() => number|null} roomNs
 * @returns {Promise<{failure: string, field: string}>} a sentence when the request was not
 * accepted, and the entry that it is about where there is one; otherwise empty
 */
async function post(key, body, roomNs) {
  let failure = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const answer = await fetch("/api/session/commands", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key, ...askedAt(roomNs()) },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      return answer.ok ? { failure: "", field: "" } : await refusal(answer);
    } catch (error) {
      const late = error instanceof DOMException && error.name === "TimeoutError";
      failure = late ? t.answers.timeout : t.answers.network;
    }
  }
  return { failure, field: "" };
}

/**
 * What a network holds back, the room is not to do when the person has long been told otherwise.
 * @param {number|null} ns
 * @returns {Record<string, string>}
 */
const askedAt = (ns) => (ns === null ? {} : { "Asked-At": String(ns) });

/** @param {Response} answer @returns {Promise<{failure: string, field: string}>} */
async function refusal(answer) {
  const body = await answer.json().catch(() => ({}));
  /** @type {Record<string, string>} */
  const known = /** @type {any} */ (t.answers);
  const failure = wordsOf(body) || known[String(answer.status)] || t.answers.other;
  return aboutField(failure, typeof body.field === "string" ? body.field : "");
}

/**
 * Which entry a refusal is about, and the refusal in the words that stand beside that entry.
 * @param {string} failure as the service says it
 * @param {string} told the field that the service names, empty for none
 * @returns {{failure: string, field: string}}
 */
export function aboutField(failure, told) {
  const [, name = "", rest = ""] = /^(?:args\.)?(\w+):? (.*)$/s.exec(failure) ?? [];
  const field = told.replace(/^args\./, "") || (t.entryNames[name] ? name : "");
  if (field && name === field) return { failure: `${t.entryNames[field] ?? ""} ${rest}`.trim(), field };
  if (!field && /needs a second name/.test(failure)) return { failure, field: "second" };
  return { failure, field };
}

/**
 * The service's own sentence, wherever the answer carries it.
 * @param {any} body
 * @returns {string}
 */
export function wordsOf(body) {
  if (typeof body?.reason === "string") return body.reason;
  const detail = body?.detail;
  if (typeof detail === "string") return detail;
  if (typeof detail?.reason === "string") return detail.reason;
  if (!Array.isArray(detail)) return "";
  return detail
    .map((/** @type {any} */ item) => `${item.loc?.at(-1) ?? ""}: ${item.msg ?? ""}`)
    .join("; ");
}
