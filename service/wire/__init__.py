"""What goes over the wire: live messages, commands, and their frames on the control socket.

The control process and the web process talk over one Unix socket. Each connection starts with a
`Hello`: the `main` lane carries everything, the `urgent` lane only the commands of `URGENT` and
the `command` messages that answer them. Shapes grow by adding.
"""

from service.wire.access import AccessKind, AccessTold
from service.wire.commands import (
    ANSWER_S,
    BODY,
    COMMANDS,
    FROM_WEB,
    URGENT,
    Body,
    By,
    CommandBody,
    CommandRequest,
    Denied,
    DisplayHeard,
    Displays,
    DisplayShown,
    Hello,
    WhatIfAsked,
)
from service.wire.frames import (
    MAX_MESSAGE_BYTES,
    WireError,
    pack,
    parse,
    read_message,
    read_text,
    write_message,
)
from service.wire.live import LIVE, PAGE, VERSION, Active, Alive, Shown, Snapshot, live_schema
from service.wire.state import CommandStatus, State

__all__ = [
    "ANSWER_S",
    "BODY",
    "COMMANDS",
    "FROM_WEB",
    "LIVE",
    "MAX_MESSAGE_BYTES",
    "PAGE",
    "URGENT",
    "VERSION",
    "AccessKind",
    "AccessTold",
    "Active",
    "Alive",
    "Body",
    "By",
    "CommandBody",
    "CommandRequest",
    "CommandStatus",
    "Denied",
    "DisplayHeard",
    "DisplayShown",
    "Displays",
    "Hello",
    "Shown",
    "Snapshot",
    "State",
    "WhatIfAsked",
    "WireError",
    "live_schema",
    "pack",
    "parse",
    "read_message",
    "read_text",
    "write_message",
]
