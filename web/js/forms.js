/** Requests of the pages of forms: an answer, or a sentence with the field that it belongs to. */
import { accountTexts as t } from "./texts.js";

/**
 * @typedef {{ok: true, body: any} | {ok: false, reason: string, field: string}} Answer
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<Answer>}
 */
export async function ask(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      ...(body ? { headers: { "Content-Type": "application/json" } } : {}),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (answer.ok) return { ok: true, body: said };
    if (answer.status === 401 && path !== "/api/v1/signin") location.assign("/signin");
    return { ok: false, reason: said.reason ?? t.failed, field: said.field ?? "" };
  } catch {
    return { ok: false, reason: t.unreachable, field: "" };
  }
}

/** Fills every fixed word of the page. @param {Record<string, any>} words */
export function writeWords(words) {
  for (const element of document.querySelectorAll("[data-t]")) {
    element.textContent = words[element.getAttribute("data-t") ?? ""] ?? "";
  }
}
