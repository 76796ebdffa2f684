/**
 * One hue and one line style for each channel, the same under its bar and in the curve. Hues
 * keep clear of the alarm colours; line styles tell apart what a colour-blind eye cannot.
 *
 * @typedef {{hue: string, dash: number[], style: string, width: number, shown: boolean}} Look
 */
const SITE_HUES = 6;

/** @type {Record<string, Look>} */
const BY_ROLE = {
  inflow: { hue: "--hue-inflow", dash: [], style: "solid", width: 3, shown: true },
  outflow: { hue: "--hue-inflow", dash: [2, 4], style: "dotted", width: 3, shown: true },
  reservoir: { hue: "--hue-circuit", dash: [], style: "solid", width: 1.5, shown: false },
  exchanger: { hue: "--hue-circuit", dash: [10, 5], style: "dashed", width: 1.5, shown: false },
  bath: { hue: "--hue-circuit", dash: [2, 4], style: "dotted", width: 1.5, shown: false },
};

/**
 * @param {{role: string}} channel
 * @param {number} index its place among the channels of its role
 * @returns {Look}
 */
export function lookOf(channel, index) {
  const known = BY_ROLE[channel.role];
  if (known) return known;
  const later = index % 2 === 1;
  const dash = later ? [7, 4] : [];
  const style = later ? "dashed" : "solid";
  if (channel.role === "core") return { hue: "--hue-core", dash, style, width: 3, shown: true };
  const hue = `--hue-${(index % SITE_HUES) + 1}`;
  return { hue, dash, style, width: 2, shown: true };
}

/** @type {Map<string, string>} */
const resolved = new Map();

/** After a change of theme every colour is looked up anew. */
export const forgetColours = () => resolved.clear();

/**
 * The colour that a token of the theme has now, as a canvas understands it.
 * @param {string} token for example "--ink"
 * @returns {string}
 */
export function colourOf(token) {
  const known = resolved.get(token);
  if (known) return known;
  document.body.style.outlineColor = `var(${token})`;
  const colour = getComputedStyle(document.body).outlineColor;
  document.body.style.outlineColor = "";
  resolved.set(token, colour);
  return colour;
}
