"""Who may give which command.

Stop, heater off and abort are for every clinical role. A surgeon makes safe, notes and looks on.
"""

from collections.abc import Mapping

from service.core.model import Actor, PersonRole

PERFUSIONIST = frozenset({PersonRole.PERFUSIONIST})
CLINICAL = frozenset({PersonRole.PERFUSIONIST, PersonRole.ANESTHESIA, PersonRole.SURGEON})
TEAM = frozenset({PersonRole.PERFUSIONIST, PersonRole.ANESTHESIA})

MAY: Mapping[str, frozenset[PersonRole]] = {
    "open_session": PERFUSIONIST,
    "close_session": PERFUSIONIST,
    "confirm_checklist": PERFUSIONIST,
    "compare_probes": PERFUSIONIST,
    "start_phase": PERFUSIONIST,
    "confirm_drug": TEAM,
    "confirm_reminder": TEAM,
    "set_controller": PERFUSIONIST,
    "set_inflow": PERFUSIONIST,
    "set_flow": PERFUSIONIST,
    "stop": CLINICAL,
    "heater_off": CLINICAL,
    "pause": PERFUSIONIST,
    "resume": PERFUSIONIST,
    "abort": CLINICAL,
    "patient_unstable": CLINICAL,
    "acknowledge": TEAM,
    "pause_audio": TEAM,
    "note": CLINICAL,
    "volume": TEAM,
    "enter_core": TEAM,
    "request": TEAM,
    "answer": PERFUSIONIST,
    "seen": TEAM,
    "cooling": TEAM,
    "confirm_blood_test": TEAM,
    "take_control": PERFUSIONIST,
    "hand_over": PERFUSIONIST,
    "release_control": PERFUSIONIST,
}

AT_THE_STATION = frozenset({"stop", "heater_off", "acknowledge", "seen", "request"})
"""What anybody may do at the enrolled station in the room, signed in or not."""


ABOUT_CONTROL = frozenset({"take_control", "hand_over", "release_control"})
NEEDS_CONTROL = {name for name, roles in MAY.items() if roles == PERFUSIONIST} - ABOUT_CONTROL
"""What only the one control holder does. Facts of the team and making safe need no control."""


def refusal(name: str, by: Actor) -> str:
    """Why this person or station may not give this command; empty when it may."""
    allowed = MAY.get(name)
    if allowed is None:
        return f"there is no command {name!r}"
    if by.role in allowed or (by.station and name in AT_THE_STATION):
        return ""
    return f"{name} is for {' or '.join(sorted(allowed))}, not for {by.role}"
