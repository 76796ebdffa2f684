"""What may come of a fault, whatever the instrument; and the few pairs that differ, with reason.

A fault that is not in the table may end in any way that the rules for all faults allow: no value
that the instrument did not measure, one line in the log when lost and one when back.
"""

from collections.abc import Mapping

from tests.contract.bench import bench
from tests.contract.story import Outcome

GOES_ON, LOST, BACK, AS_SENT = Outcome.GOES_ON, Outcome.LOST, Outcome.BACK, Outcome.AS_SENT
FAULT, NO_VALUE, DOUBTED = Outcome.FAULT, Outcome.NO_VALUE, Outcome.DOUBTED
TOLD = {LOST, FAULT, NO_VALUE, DOUBTED}

EXPECTED: Mapping[str, set[Outcome]] = {
    "silent": {LOST},
    "deaf": {LOST},
    "garbage": {LOST},
    "wrong_crc": {LOST},
    "truncated": {LOST},
    "spliced": {LOST, GOES_ON},
    "late": {LOST, BACK},
    "slow": {GOES_ON},
    "echo": {GOES_ON},
    "doubled": {GOES_ON},
    "wrong_unit": {LOST},
    "noise": {GOES_ON, LOST, BACK},
    "baud": {LOST},
    "unplug": {LOST},
    "replug": {BACK},
    "hang_up": {BACK},
    "half_open": {BACK},
    "power_cycle": {GOES_ON, BACK, FAULT, DOUBTED, AS_SENT},
    "refuses": TOLD | {GOES_ON},
    "stuck": {GOES_ON, FAULT, DOUBTED},
    "open": TOLD,
    "short": TOLD,
    "offset": {AS_SENT, DOUBTED},
    "drift": {AS_SENT, GOES_ON, DOUBTED},
    "reset": {GOES_ON},
    "local_mode": {GOES_ON, FAULT, LOST},
    "keypad_stop": {GOES_ON, AS_SENT, FAULT},
    "stall": {FAULT, DOUBTED},
    "alarm": TOLD,
    "coupling": TOLD,
    "no_sensor": TOLD,
    "overflow": TOLD,
    "underflow": TOLD,
}

EXCEPTIONS: Mapping[tuple[str, str], tuple[Outcome, str]] = {
    ("watson_marlow 323", "wrong_unit"): (GOES_ON, "its short status names no pump: one per line"),
    ("masterflex", "stall"): (GOES_ON, "the drive tells nothing that proves the rotation"),
    ("datex_s5", "late"): (GOES_ON, "records carry no time that could be compared"),
    ("icpdas_digital", "open"): (GOES_ON, "an open lead is an open contact: wire alarms closed"),
    ("icpdas_digital", "short"): (AS_SENT, "a shorted lead is a closed contact"),
}

BELIEVED = {"garbage", "truncated", "spliced", "noise"}
"""Without a check sum, what these leave well formed is read as it stands.

A pump's 50.0 rpm is 550.0 where its tacho count has just grown by a digit and two halves meet.
"""


def expected(name: str, fault: str) -> set[Outcome]:
    """The outcomes that are right for this pair and fault."""
    if (name, fault) in EXCEPTIONS:
        return {EXCEPTIONS[name, fault][0]}
    spliced = fault == "spliced" and may_be_believed(name, fault)
    return EXPECTED.get(fault, set(Outcome)) | ({AS_SENT} if spliced else set())


def may_be_believed(name: str, fault: str) -> bool:
    """True where a false value may be shown, as nothing in the bytes tells that it is false."""
    return fault in BELIEVED and not bench(name).twin.instrument.has_checksum
