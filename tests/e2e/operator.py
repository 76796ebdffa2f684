"""A program that treats one simulated patient after the other, as the page proposes it."""

from typing import Any

from tests.e2e.room import WITHOUT, Client, Json

KEPT_MESSAGES = 500
WARM_C = 41.0


class LongClient(Client):
    """A client for hours: forgets the live messages that it has seen."""

    def _take(self, message: Json) -> None:
        super()._take(message)
        with self._news:
            del self.messages[:-KEPT_MESSAGES]


class Operator:
    """Does what is due each time it is asked to look; `treated` counts the sessions it closed."""

    def __init__(self, client: Client, protocol: str = "closed-mmc-90") -> None:
        self.treated = 0
        self.sessions: list[str] = []
        self._client = client
        self._protocol = protocol

    def look(self) -> None:
        """One look at the page, and what a person would do then; a refusal is asked again."""
        state = self._client.state
        if not state:
            return
        if state["session"] is None:
            self._post("open_session", protocol=self._protocol, height_cm=170, weight_kg=70)
            return
        if state["session"] not in self.sessions:
            self.sessions.append(state["session"])
        for alarm in state["alarms"]:
            if alarm["presence"] in ("on", "latched"):
                self._post("acknowledge", occurrence=alarm["occurrence"])
        if state["phase"] == "perfuse":
            self._perfuse(state)
        action = state["next_action"]
        if action is None or (state["phase"] == "prime" and not self._is_warm(state)):
            return
        if action["name"] == "start_phase":
            self._confirm(state, action["args"]["phase"])
        if self._client.state["next_action"] and self._client.state["next_action"]["enabled"]:
            closes = action["name"] == "close_session"
            if self._post(action["name"], **action["args"]) and closes:
                self.treated += 1

    def _perfuse(self, state: Json) -> None:
        if state["controller"] != "automatic" and state["side_state"] == "none":
            self._post("set_controller", mode="automatic")
        for number, fraction in enumerate((state["drug"] or {"fractions": []})["fractions"], 1):
            if fraction["given_utc"] is None and state["clocks"]["next_fraction_s"] is not None:
                if state["clocks"]["next_fraction_s"] <= 0:
                    self._post("confirm_drug", fraction=number)
                return

    def _confirm(self, state: Json, phase: str) -> None:
        for item in state["checklist"]:
            if item["before"] == phase and not item["done"]:
                reason = WITHOUT.get(item["id"], "")
                self._post("confirm_checklist", reason=reason, item=item["id"])

    def _is_warm(self, state: Json) -> bool:
        return (state["channels"]["reservoir"]["value"] or 0.0) > WARM_C

    def _post(self, name: str, **args: Any) -> bool:
        return self._client.post(name, second="Second Name", **args).status_code == 202
