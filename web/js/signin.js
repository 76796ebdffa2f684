/** The sign-in page: name and password, or a one-time code; what was typed is never lost. */
import { buttonById, byId, inputById, setText } from "./dom.js";
import { ask, writeWords } from "./forms.js";
import { accountTexts as t } from "./texts.js";

const FIELDS = ["name", "password"];

/** @param {string} field @param {string} reason */
function say(field, reason) {
  for (const each of FIELDS) {
    const wrong = each === field && reason !== "";
    inputById(each).setAttribute("aria-invalid", String(wrong));
    setText(byId(`${each}-message`), wrong ? reason : "");
  }
  if (reason) inputById(field).focus();
}

/** @param {SubmitEvent} event */
async function signIn(event) {
  event.preventDefault();
  const name = inputById("name").value.trim();
  const password = inputById("password").value;
  if (!name) return say("name", t.nameMissing);
  if (!password) return say("password", t.passwordMissing);
  say("", "");
  const button = buttonById("signin-button");
  button.disabled = true;
  const answer = await ask("POST", "/api/v1/signin", { name, password });
  button.disabled = false;
  if (answer.ok) location.assign(answer.body.home);
  else say(FIELDS.includes(answer.field) ? answer.field : "password", answer.reason);
}

writeWords(t);
document.title = t.signIn;
if (new URLSearchParams(location.search).has("code")) {
  setText(byId("link-message"), t.codeVoid);
  history.replaceState(null, "", "/signin");
}
byId("signin").addEventListener("submit", (event) => void signIn(/** @type {any} */ (event)));
void ask("GET", "/api/v1/signin").then((answer) => {
  byId("oidc").hidden = !(answer.ok && answer.body.oidc);
});
inputById("name").focus();
