/** Writes every fixed word of a page from the texts: `data-t`, `data-label`, `data-placeholder`. */
import { setAttribute, setText } from "./dom.js";
import { t } from "./texts.js";

export function writeLabels() {
  const labels = /** @type {Record<string, string>} */ (t.labels);
  for (const element of document.querySelectorAll("[data-t]")) {
    setText(element, labels[element.getAttribute("data-t") ?? ""] ?? "");
  }
  for (const [data, attribute] of [
    ["data-label", "aria-label"],
    ["data-placeholder", "placeholder"],
  ]) {
    for (const element of document.querySelectorAll(`[${data}]`)) {
      const word = labels[element.getAttribute(data ?? "") ?? ""];
      setAttribute(element, attribute ?? "", word ?? "");
    }
  }
}
