/** Words that must not be cut: as many as fit are shown, or they are made smaller until they do. */

/** @param {Element} element */
const overflows = (element) =>
  element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1;

/**
 * True when this place has to be fitted again: other words, or another size.
 * @param {HTMLElement} element
 * @param {string} words
 */
function changed(element, words) {
  const key = `${words}|${element.clientWidth}x${element.clientHeight}`;
  if (element.dataset["fitted"] === key) return false;
  element.dataset["fitted"] = key;
  return true;
}

/**
 * Shows as many of the words as fit into their place, and how many more there are.
 * @param {HTMLElement} element of a fixed size
 * @param {string[]} words in the order of their weight
 * @param {(count: number) => string} more for example "and 3 more"
 * @param {string} [lead] what stands before them
 */
export function fitWords(element, words, more, lead = "") {
  if (!changed(element, lead + words.join("|"))) return;
  for (let shown = words.length; shown >= 0; shown -= 1) {
    const rest = words.length - shown;
    const parts = [...words.slice(0, shown), ...(rest ? [more(rest)] : [])];
    element.textContent = words.length ? lead + parts.join(" · ") : "";
    if (!overflows(element)) return;
    if (shown === 1 && shorten(element, words, more, lead)) return;
  }
}

/**
 * Even the first is too long for its place: so many of its words as fit; false when none does.
 * @param {HTMLElement} element
 * @param {string[]} words
 * @param {(count: number) => string} more
 * @param {string} lead
 */
function shorten(element, words, more, lead) {
  const first = (words[0] ?? "").split(" ");
  const rest = words.length > 1 ? [more(words.length - 1)] : [];
  for (let shown = first.length - 1; shown > 0; shown -= 1) {
    const begun = `${first.slice(0, shown).join(" ")} …`;
    element.textContent = lead + [begun, ...rest].join(" · ");
    if (!overflows(element)) return true;
  }
  return false;
}

/**
 * Shows as many lines of a list as fit whole into its place, the first ones.
 * @param {HTMLElement} list of a limited height
 */
export function fitLines(list) {
  if (!changed(list, list.textContent ?? "")) return;
  const lines = /** @type {HTMLElement[]} */ ([...list.children]);
  for (const line of lines) line.hidden = false;
  for (const line of lines.toReversed()) {
    if (!overflows(list)) break;
    line.hidden = true;
  }
}

const STEPS = [1, 0.9, 0.8, 0.7, 0.6];

/**
 * Makes the words of a box smaller, by its own `--fit`, until none is cut.
 * @param {HTMLElement} box
 * @param {HTMLElement} within whose height is the limit
 */
export function fitSize(box, within) {
  if (!changed(box, `${box.textContent}|${within.clientWidth}x${within.clientHeight}`)) return;
  for (const step of STEPS) {
    box.style.setProperty("--fit", String(step));
    if (box.scrollHeight <= within.clientHeight && !overflows(box)) break;
  }
  changed(box, `${box.textContent}|${within.clientWidth}x${within.clientHeight}`);
}
