"""What can be done to a running room, from the control channel and from a scenario alike."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulator.catalogue import CONTACTS
from simulator.devices.instrument import Fault
from simulator.faults import FAULTS, MOMENTARY, FaultError, Line

if TYPE_CHECKING:
    from simulator.room import Room

PLANT_SWITCHES = ("inflow_clamped", "inflow_to_patient", "draining", "outflow_blocked")
PLANT_AMOUNTS = {"cooling_w": 500.0, "leak_ml_min": 5000.0}
BOLUS_ML, BOLUS_C = (0.0, 5000.0), (0.0, 60.0)


class ActionError(ValueError):
    """A request that cannot be done; the text says which field and what is allowed."""


def check(room: "Room", request: Mapping[str, Any]) -> None:
    """Raise ActionError for a request that `act` would refuse; changes nothing."""
    _prepared(room, request)


def act(room: "Room", request: Mapping[str, Any], now_s: float) -> dict[str, Any]:
    """Do one request at `now_s` (the room's real seconds) and give its answer.

    Raises ActionError, and then nothing has changed.
    """
    return _prepared(room, request)(now_s)


def _prepared(room: "Room", request: Mapping[str, Any]) -> "_Do":
    """The request as something that can be done without failing, or ActionError."""
    name = request.get("do")
    if not isinstance(name, str) or name not in _ACTIONS:
        raise ActionError(f"do is {name!r}; it must be one of {', '.join(_ACTIONS)}")
    wanted, optional, prepare = _ACTIONS[name]
    for field in wanted:
        if field not in request:
            raise ActionError(f"{name} needs {field}")
    for field in request:
        if field not in (*wanted, *optional, "do"):
            known = ", ".join((*wanted, *optional)) or "no field"
            raise ActionError(f"{name} has no field {field!r}; it takes {known}")
    try:
        return prepare(room, request)
    except FaultError as error:
        raise ActionError(str(error)) from error


def _line(room: "Room", request: Mapping[str, Any]) -> Line:
    name = request["device"]
    if not isinstance(name, str) or name not in room.devices:
        known = ", ".join(room.devices)
        raise ActionError(f"no device is called {name!r}; there are {known}")
    return room.devices[name]


def _number(field: str, value: object, low: float = -1e6, high: float = 1e6) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ActionError(f"{field} is {value!r}; it must be a number from {low:g} to {high:g}")
    if field in ("input", "times") and (value < 1 or value != int(value)):
        raise ActionError(f"{field} is {value!r}; it must be a whole number from 1")
    return float(value)


def _whole(request: Mapping[str, Any], field: str) -> int | None:
    return None if request.get(field) is None else int(_number(field, request[field]))


def _fault(room: "Room", request: Mapping[str, Any]) -> "_Do":
    line, value = _line(room, request), request.get("value")
    fault = Fault(
        name=str(request["fault"]),
        input=_whole(request, "input"),
        times=_whole(request, "times"),
        value=None if value is None else _number("value", value),
    )
    line.check(fault)

    def do(now_s: float) -> dict[str, Any]:
        line.fault(fault, now_s)
        return {"momentary": True} if fault.name in MOMENTARY else {}

    return do


def _clear(room: "Room", request: Mapping[str, Any]) -> "_Do":
    lines = [_line(room, request)] if "device" in request else list(room.devices.values())
    name, number = request.get("fault"), _whole(request, "input")
    if name is not None and name not in FAULTS:
        raise ActionError(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")

    def do(now_s: float) -> dict[str, Any]:
        for line in lines:
            line.clear(name, number)
        return {}

    return do


def _plant(room: "Room", request: Mapping[str, Any]) -> "_Do":
    changes = request["set"]
    if not isinstance(changes, Mapping) or not changes:
        raise ActionError('set must be an object such as {"inflow_clamped": true}')
    for name, value in changes.items():
        if name in PLANT_AMOUNTS:
            _number(name, value, 0.0, PLANT_AMOUNTS[name])
        elif name not in PLANT_SWITCHES:
            known = ", ".join((*PLANT_SWITCHES, *PLANT_AMOUNTS))
            raise ActionError(f"the plant has no {name!r}; it has {known}")
        elif not isinstance(value, bool):
            raise ActionError(f"{name} is {value!r}; it must be true or false")

    def do(now_s: float) -> dict[str, Any]:
        for name, value in changes.items():
            setattr(room.plant, name, value)
        return {}

    return do


def _contact(room: "Room", request: Mapping[str, Any]) -> "_Do":
    """Trip or mend what the room's switches look at: true is trouble, as an emergency stop hit."""
    changes = request["set"]
    if not isinstance(changes, Mapping) or not changes:
        raise ActionError('set must be an object such as {"emergency_stop": true}')
    for name, value in changes.items():
        if name not in CONTACTS:
            raise ActionError(f"no contact is called {name!r}; there are {', '.join(CONTACTS)}")
        if not isinstance(value, bool):
            raise ActionError(f"{name} is {value!r}; it must be true or false")

    def do(now_s: float) -> dict[str, Any]:
        for name, trouble in changes.items():
            (room.wires.tripped.add if trouble else room.wires.tripped.discard)(name)
        return {}

    return do


def _bolus(room: "Room", request: Mapping[str, Any]) -> "_Do":
    volume_ml = _number("volume_ml", request["volume_ml"], *BOLUS_ML)
    temperature_c = _number("temperature_c", request["temperature_c"], *BOLUS_C)
    into = request.get("into", "reservoir")
    if into not in ("reservoir", "cavity"):
        raise ActionError(f"into is {into!r}; it must be reservoir or cavity")

    def do(now_s: float) -> dict[str, Any]:
        room.plant.bolus(volume_ml, temperature_c, into=into)
        return {}

    return do


def _probe(room: "Room", request: Mapping[str, Any]) -> "_Do":
    """What a faultless probe at a place reads; with `fault`, break or mend the lead there."""
    place = request["place"]
    if not isinstance(place, str) or place not in room.places:
        raise ActionError(f"no probe lies at {place!r}; there are {', '.join(room.places)}")
    device, number = room.places[place]
    change: _Do | None = None
    if request.get("fault") == "none":
        change = _clear(room, {"device": device, "input": number})
    elif "fault" in request:
        wired = {key: request[key] for key in ("fault", "value") if key in request}
        change = _fault(room, {**wired, "device": device, "input": number})

    def do(now_s: float) -> dict[str, Any]:
        if change is not None:
            change(now_s)
        true_c = round(room.plant.probe_c(place), 3)
        return {"place": place, "device": device, "input": number, "c": true_c}

    return do


def _state(room: "Room", request: Mapping[str, Any]) -> "_Do":
    return lambda now_s: room.state()


_Do = Callable[[float], dict[str, Any]]
_Prepare = Callable[["Room", Mapping[str, Any]], _Do]
_ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...], _Prepare]] = {
    "fault": (("device", "fault"), ("input", "value", "times"), _fault),
    "clear": ((), ("device", "fault", "input"), _clear),
    "plant": (("set",), (), _plant),
    "contact": (("set",), (), _contact),
    "bolus": (("volume_ml", "temperature_c"), ("into",), _bolus),
    "probe": (("place",), ("fault", "value"), _probe),
    "state": ((), (), _state),
}
