"""The command line `hipec`. Answers are text for a person; the exit code is 0 when all is good.

What a command needs is imported by it alone: `hipec --help` takes a tenth of a second.
"""

import argparse
import getpass
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from service.accounts.demo import Keys
    from service.supervisor import Plan

Answer = tuple[int, str]
SERVED_ALREADY = 4
"""Exit code of a room that another process serves."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = _parser(given).parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        answer: int | Answer = asked.run(asked)
    except Exception as error:
        answer = _refused(error)
    if isinstance(answer, int):
        return answer
    code, text = answer
    try:
        print(text.rstrip("\n"), file=sys.stderr if code else sys.stdout, flush=True)
    except BrokenPipeError:  # as of `hipec devices list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _refused(error: Exception) -> Answer:
    """What a person is told of an error that is one; a mistake in the program is raised again."""
    from service.runtime import RuntimeFolderError
    from service.site_shape import SiteError
    from simulator.control import ControlError

    if isinstance(error, RuntimeFolderError):
        return SERVED_ALREADY, str(error)
    if isinstance(error, SiteError | ControlError):
        return 1, str(error)
    raise error


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The commands; only the one that is given is known in full."""
    parser = argparse.ArgumentParser(
        prog="hipec", description="HIPEC room service. Not a certified medical device."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for names, add in GROUPS:
        if given and given[0] in names:
            add(commands)
        else:
            for name, about in names.items():
                commands.add_parser(name, help=about)
    return parser


def _serving(commands: Commands) -> None:
    serve = commands.add_parser("serve")
    serve.add_argument("--site", type=Path, required=True)
    serve.add_argument("--speed", type=float, default=1.0, help="only in mode demo or test")
    serve.set_defaults(run=_serve)
    room = commands.add_parser("demo")
    room.add_argument("--speed", type=float, default=1.0, help="treatment time runs so much faster")
    room.add_argument("--listen", default="127.0.0.1:8000", help="host:port (port 0: any free one)")
    room.add_argument("--scenario", type=Path, help="another patient, other events (TOML)")
    room.set_defaults(run=_demo)


def _ending(commands: Commands) -> None:
    end = commands.add_parser("shutdown")
    end.add_argument("--site", type=Path, required=True)
    end.add_argument("--by", default=getpass.getuser(), help="who ends it, for the record")
    end.add_argument("--reason", default="")
    end.add_argument("--yes", action="store_true", help="do not ask")
    end.set_defaults(run=_shutdown)
    unit = commands.add_parser("unit")
    unit.add_argument("--site", type=Path, required=True)
    unit.add_argument("--user", default="hipec", help="the account that runs the service")
    unit.add_argument("--realtime", action="store_true", help="control before all ordinary work")
    unit.set_defaults(run=_unit)


def _demo(asked: argparse.Namespace) -> int:
    from service.demo import demo

    return demo(speed=asked.speed, listen=asked.listen, scenario=asked.scenario)


def _shutdown(asked: argparse.Namespace) -> Answer:
    from service.shutdown import shutdown

    return shutdown(asked.site, by=asked.by, reason=asked.reason, confirmed=asked.yes)


def _unit(asked: argparse.Namespace) -> Answer:
    from service.site import load_site
    from service.systemd import unit_text

    room = load_site(asked.site).about.id
    return 0, unit_text(asked.site, room, asked.user, realtime=asked.realtime)


def _ahead(commands: Commands) -> None:
    from protocols.schema import Technique
    from service import foretell

    ahead = commands.add_parser("what-if")
    ahead.add_argument("protocol")
    ahead.add_argument("--technique", choices=[each.value for each in Technique])
    ahead.add_argument("--flow", type=float, metavar="ML_MIN", help="default: the protocol's")
    ahead.set_defaults(run=lambda a: foretell.what_if_text(a.protocol, a.technique, a.flow))


def _site(commands: Commands) -> None:
    from service import site_text

    site = commands.add_parser("site").add_subparsers(required=True)
    site.add_parser("example").set_defaults(run=lambda _: site_text.example_text())
    check = site.add_parser("check")
    check.add_argument("file", type=Path)
    check.set_defaults(run=lambda asked: site_text.check_text(asked.file))


def _protocols(commands: Commands) -> None:
    from protocols import show

    protocols = commands.add_parser("protocols").add_subparsers(required=True)
    protocols.add_parser("list").set_defaults(run=lambda _: show.list_text())
    one = protocols.add_parser("show")
    one.add_argument("id")
    one.set_defaults(run=lambda asked: show.show_text(asked.id))
    check = protocols.add_parser("check")
    check.add_argument("file", type=Path)
    check.add_argument("--site", type=Path, help="the site whose envelopes may be used")
    check.set_defaults(run=_check_protocol)


def _sessions(commands: Commands) -> None:
    from service.records import commands as records
    from service.records import proof_commands

    sessions = commands.add_parser("sessions").add_subparsers(required=True)
    records.add_commands(sessions)
    proof_commands.add_sessions_commands(sessions)


def _keys(commands: Commands) -> None:
    from service.records import proof_commands

    proof_commands.add_keys_commands(commands.add_parser("keys").add_subparsers(required=True))


def _accounts(commands: Commands) -> None:
    from service.accounts import commands as accounts

    accounts.add_users_commands(commands.add_parser("users").add_subparsers(required=True))
    accounts.add_stations_commands(commands.add_parser("stations").add_subparsers(required=True))


def _virtual(commands: Commands) -> None:
    from service.virtual.commands import add_commands

    add_commands(commands)


def _devices(commands: Commands) -> None:
    from service.devices.commands import add_commands

    devices = commands.add_parser("devices").add_subparsers(required=True)
    add_commands(devices)
    room = devices.add_parser("simulate", help="a simulated room behind real serial ports")
    room.add_argument("--dir", type=Path, required=True)
    room.add_argument("--scenario", type=Path)
    room.add_argument("--speed", type=float, default=1.0)
    room.set_defaults(run=_simulate)
    fault = devices.add_parser("fault", help="break an instrument of a simulated room, or mend it")
    fault.add_argument("--dir", type=Path, required=True)
    fault.add_argument("device")
    fault.add_argument("fault", help="such as silent, unplug, replug; clear mends everything")
    fault.add_argument("--input", type=int)
    fault.add_argument("--value", type=float)
    fault.set_defaults(run=_fault)


def _serve(asked: argparse.Namespace) -> int:
    import asyncio

    from service.supervisor import Plan

    def ready(address: str, keys: "Keys") -> None:
        print(f"The room is served at {address}/", flush=True)
        for role, token in keys.tokens.items():
            print(f"  {role:<13} {token}", flush=True)
        for role, code in keys.codes.items():
            print(f"  {role:<13} {address}/signin?code={code}", flush=True)

    plan = Plan(site=asked.site, speed=asked.speed, on_ready=ready)
    return asyncio.run(_supervise(plan))


async def _supervise(plan: "Plan") -> int:
    from service.supervisor import Supervisor

    return await Supervisor(plan).run()


def _simulate(asked: argparse.Namespace) -> int:
    from simulator.serve import serve

    return serve(asked.dir, asked.scenario, asked.speed)


def _check_protocol(asked: argparse.Namespace) -> Answer:
    from protocols import show
    from service.site import load_site

    envelopes = load_site(asked.site).envelopes() if asked.site else {}
    return show.check_text(asked.file, envelopes)


def _fault(asked: argparse.Namespace) -> Answer:
    from simulator.control import ask

    request: dict[str, object] = {"do": "fault", "device": asked.device, "fault": asked.fault}
    if asked.fault == "clear":
        request = {"do": "clear", "device": asked.device}
    extra = {"input": asked.input, "value": asked.value}
    request |= {name: value for name, value in extra.items() if value is not None}
    answer = ask(asked.dir, request)
    return (0, "done") if answer["ok"] else (1, str(answer["error"]))


GROUPS: Sequence[tuple[Mapping[str, str], Callable[[Commands], None]]] = (
    (
        {
            "serve": "serve one room from its site file",
            "demo": "serve a simulated room to try",
        },
        _serving,
    ),
    (
        {
            "shutdown": "end a room's service; asks during a treatment",
            "unit": "a systemd unit that serves a room",
        },
        _ending,
    ),
    (
        {
            "what-if": "what a protocol would lead to, before incision",
        },
        _ahead,
    ),
    (
        {
            "site": "what this room has",
        },
        _site,
    ),
    (
        {
            "protocols": "what a treatment is",
        },
        _protocols,
    ),
    (
        {
            "simulate": "one simulated treatment in virtual time",
            "trial": "a cohort of simulated patients, and what it shows",
        },
        _virtual,
    ),
    (
        {
            "sessions": "the record",
        },
        _sessions,
    ),
    (
        {
            "keys": "the signing key",
        },
        _keys,
    ),
    (
        {
            "users": "who may do what",
            "stations": "the screens of the room",
        },
        _accounts,
    ),
    (
        {
            "devices": "the instruments",
        },
        _devices,
    ),
)
"""The commands with what they are for, and what makes them known in full."""


if __name__ == "__main__":
    sys.exit(main())
