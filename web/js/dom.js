/** The few things that every panel does with the document. */

/**
 * @param {string} id of an element that index.html has
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element #${id}`);
  return found;
}

/** @param {string} id @returns {HTMLInputElement} */
export const inputById = (id) => /** @type {HTMLInputElement} */ (byId(id));

/** @param {string} id @returns {HTMLButtonElement} */
export const buttonById = (id) => /** @type {HTMLButtonElement} */ (byId(id));

/**
 * Writes only what changed, so that nothing is announced or laid out twice.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes] `text` is the content
 * @param {...Element} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Entries of a list that are kept when it is built anew: those that `data-keep` names. */
const KEPT = "input[data-keep]";

/**
 * Rebuilds a list only when its key changes, so that nothing moves under the finger; what is being
 * typed in it stays, and so does the cursor.
 * @param {HTMLElement} list
 * @param {string} key
 * @param {() => Element[]} build
 */
export function rebuildOnChange(list, key, build) {
  if (list.dataset["key"] === key) return;
  list.dataset["key"] = key;
  const before = /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll(KEPT)]);
  const active = before.find((input) => input === document.activeElement)?.dataset["keep"];
  const typed = new Map(before.map((input) => [input.dataset["keep"], input.value]));
  list.replaceChildren(...build());
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (list.querySelectorAll(KEPT))) {
    input.value = typed.get(input.dataset["keep"]) ?? "";
    if (active && input.dataset["keep"] === active) input.focus();
  }
}
