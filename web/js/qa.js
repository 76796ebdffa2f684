/** Records for quality assurance: a list like a logbook, and one session with its proof. */
import { buttonById, byId, make, setText } from "./dom.js";
import { ask, writeWords } from "./forms.js";
import { clearCurves, drawCurves, fitCurves } from "./qa_curve.js";
import { accountTexts, recordTexts as t } from "./texts.js";

/** @typedef {Record<"id"|"protocol"|"opened"|"closed"|"mode"|"phases", string>} Line */
const COLUMNS = /** @type {const} */ (["protocol", "opened", "closed", "mode", "phases"]);

/** The chain of the room itself; it has no curve. */
const ROOM = "room";

let shown = "";

/** Everything but the curve and the dose stands one click below them. */
const all = () => /** @type {HTMLDetailsElement} */ (byId("all"));

/** @param {Line} line */
function row(line) {
  const open = make("button", { text: line.id, type: "button" });
  open.onclick = () => (location.hash = line.id);
  const cells = COLUMNS.map((name) => make("td", { text: line[name] }));
  return make("tr", {}, make("td", {}, open), ...cells);
}

async function showList() {
  byId("one").hidden = true;
  byId("list").hidden = false;
  setText(byId("empty"), t.reading);
  const answer = await ask("GET", "/api/v1/records");
  setText(byId("empty"), "");
  setText(byId("message"), answer.ok ? "" : answer.reason);
  if (!answer.ok) return;
  byId("sessions").replaceChildren(...answer.body.map(row));
  setText(byId("empty"), answer.body.length ? "" : t.nothing);
}

/** @param {string} id */
async function showOne(id) {
  shown = id;
  byId("list").hidden = true;
  byId("one").hidden = false;
  setText(byId("proof"), "");
  setText(byId("summary"), t.reading);
  clearCurves();
  const isRoom = id === ROOM;
  all().open = isRoom;
  if (!isRoom) setText(byId("curve-message"), t.reading);
  const path = `/api/v1/records/${encodeURIComponent(id)}`;
  byId("export").setAttribute("href", `${path}/export`);
  const answer = await ask("GET", path);
  if (shown !== id) return;
  setText(byId("summary"), answer.ok ? answer.body.text : answer.reason);
  byId("verify").hidden = byId("export").hidden = isRoom;
  if (!answer.ok || isRoom) {
    all().open = true;
    return setText(byId("curve-message"), "");
  }
  const curves = await ask("GET", `${path}/curve`);
  if (shown !== id) return;
  setText(byId("curve-message"), curves.ok ? "" : `${t.noCurve} ${curves.reason}`);
  if (curves.ok) drawCurves(curves.body);
  else all().open = true;
}

async function verify() {
  const id = shown;
  const button = buttonById("verify");
  button.disabled = true;
  setText(byId("proof"), t.verifying);
  const answer = await ask("GET", `/api/v1/records/${encodeURIComponent(id)}/proof`);
  button.disabled = false;
  if (shown === id) setText(byId("proof"), answer.ok ? answer.body.text : answer.reason);
}

function show() {
  const id = decodeURIComponent(location.hash.slice(1));
  void (id ? showOne(id) : showList());
}

writeWords({ ...accountTexts, ...t });
document.title = t.records;
byId("back").onclick = () => (location.hash = "");
byId("verify").onclick = () => void verify();
byId("signout").onclick = async () => {
  await ask("POST", "/signout");
  location.assign("/signin");
};
addEventListener("hashchange", show);
addEventListener("resize", fitCurves);
show();
