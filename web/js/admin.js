/** Accounts and stations, for administrators. */
import { byId, make, setText } from "./dom.js";
import { ask, writeWords } from "./forms.js";
import { accountTexts as t } from "./texts.js";

const ROLES = ["perfusionist", "anesthesia", "surgeon", "qa", "admin"];
const STATION_ROLES = ["perfusionist", "anesthesia", "display"];

/** @typedef {{name: string, role: string, disabled: boolean, has_password: boolean}} Person */
/** @typedef {{station: string, role: string, fingerprint: string, enrolled_utc: number}} Station */

/**
 * Asks, says beside the control what went wrong, and shows the newest lists.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {string} [message] id of the place for a refusal
 */
async function change(method, path, body, message = "message") {
  const answer = await ask(method, path, body);
  setText(byId(message), answer.ok ? "" : answer.reason);
  if (answer.ok) await show();
  return answer;
}

/** @param {string} label @param {() => void} onPress */
function button(label, onPress) {
  const made = make("button", { text: label, type: "button" });
  made.onclick = onPress;
  return made;
}

/** @param {string[]} roles @param {string} chosen */
function roleList(roles, chosen) {
  const options = roles.map((role) => make("option", { value: role, text: t.roles[role] ?? role }));
  const list = /** @type {HTMLSelectElement} */ (make("select", {}, ...options));
  list.value = chosen;
  return list;
}

/** @param {Person} person */
function personLine(person) {
  const path = `/api/v1/people/${encodeURIComponent(person.name)}`;
  const roles = roleList(ROLES, person.role);
  roles.setAttribute("aria-label", `${t.role}: ${person.name}`);
  roles.onchange = () => void change("PATCH", path, { role: roles.value });
  const state = person.disabled ? t.disabled : person.has_password ? t.open : t.noPassword;
  const actions = make(
    "div",
    { class: "row" },
    button(person.disabled ? t.enable : t.disable, () => {
      void change("PATCH", path, { disabled: !person.disabled });
    }),
    button(t.oneTimeLink, () => void showLink("POST", `${path}/link`, undefined, "message")),
  );
  return make(
    "tr",
    {},
    make("td", { text: person.name }),
    make("td", {}, roles),
    make("td", { text: state }),
    make("td", {}, actions),
  );
}

/** @param {Station} station */
function stationLine(station) {
  const path = `/api/v1/stations/${station.fingerprint}`;
  const since = new Date(station.enrolled_utc * 1000).toISOString().slice(0, 16).replace("T", " ");
  return make(
    "tr",
    {},
    make("td", { text: station.station }),
    make("td", { text: t.roles[station.role] ?? station.role }),
    make("td", { text: station.fingerprint }),
    make("td", { text: `${since} UTC` }),
    make("td", {}, button(t.revoke, () => void change("DELETE", path))),
  );
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object|undefined} body
 * @param {string} message
 */
async function showLink(method, path, body, message) {
  const answer = await ask(method, path, body);
  const said = answer.ok ? `${t.openOnce} ${location.origin}${answer.body.path}` : answer.reason;
  setText(byId(message), said);
  return answer.ok;
}

async function show() {
  const [people, stations] = await Promise.all([
    ask("GET", "/api/v1/people"),
    ask("GET", "/api/v1/stations"),
  ]);
  if (!people.ok || !stations.ok) {
    setText(byId("message"), people.ok ? (stations.ok ? "" : stations.reason) : people.reason);
    return;
  }
  byId("people").replaceChildren(...people.body.map(personLine));
  byId("stations").replaceChildren(...stations.body.map(stationLine));
}

/** @param {string} id @returns {HTMLFormElement} */
const form = (id) => /** @type {HTMLFormElement} */ (byId(id));

/** @param {HTMLFormElement} filled */
const entries = (filled) =>
  Object.fromEntries([...new FormData(filled)].filter(([, value]) => value !== ""));

writeWords(t);
document.title = t.adminTitle;
byId("new-role").replaceChildren(...roleList(ROLES, ROLES[0] ?? "").children);
byId("station-role").replaceChildren(...roleList(STATION_ROLES, "perfusionist").children);
form("new-person").onsubmit = async (event) => {
  event.preventDefault();
  const filled = form("new-person");
  const answer = await change("POST", "/api/v1/people", entries(filled), "new-person-message");
  if (answer.ok) filled.reset();
};
form("new-station").onsubmit = async (event) => {
  event.preventDefault();
  const filled = form("new-station");
  const body = entries(filled);
  if (await showLink("POST", "/api/v1/stations", body, "new-station-message")) filled.reset();
};
byId("signout").onclick = async () => {
  await ask("POST", "/signout");
  location.assign("/signin");
};
void show();
