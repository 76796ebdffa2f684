"""The command line `hipec`. Answers are text for a person; the exit code is 0 when all is good."""

import argparse
import asyncio
import getpass
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from protocols import show
from protocols.schema import Technique
from service import foretell, site_text
from service.accounts import commands as accounts
from service.accounts.demo import Keys
from service.demo import demo
from service.devices.commands import add_commands
from service.records import commands as records
from service.records import proof_commands
from service.runtime import RuntimeFolderError
from service.shutdown import shutdown
from service.site import load_site
from service.site_shape import SiteError
from service.supervisor import Plan, Supervisor
from service.systemd import unit_text
from service.virtual.commands import add_commands as add_virtual_commands
from simulator.control import ControlError, ask
from simulator.serve import serve as simulate

Answer = tuple[int, str]
SERVED_ALREADY = 4
"""Exit code of a room that another process serves."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        answer: int | Answer = asked.run(asked)
    except RuntimeFolderError as error:
        answer = SERVED_ALREADY, str(error)
    except (SiteError, ControlError) as error:
        answer = 1, str(error)
    if isinstance(answer, int):
        return answer
    code, text = answer
    try:
        print(text.rstrip("\n"), file=sys.stderr if code else sys.stdout, flush=True)
    except BrokenPipeError:  # as of `hipec devices list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hipec", description="HIPEC room service. Not a certified medical device."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _serving(commands)
    _files(commands)
    add_virtual_commands(commands)
    _sessions(commands)
    _devices(commands)
    return parser


def _serving(commands: Commands) -> None:
    serve = commands.add_parser("serve", help="serve one room from its site file")
    serve.add_argument("--site", type=Path, required=True)
    serve.add_argument("--speed", type=float, default=1.0, help="only in mode demo or test")
    serve.set_defaults(run=_serve)
    _ending(commands)
    room = commands.add_parser("demo", help="serve a simulated room to try")
    room.add_argument("--speed", type=float, default=1.0, help="treatment time runs so much faster")
    room.add_argument("--listen", default="127.0.0.1:8000", help="host:port (port 0: any free one)")
    room.add_argument("--scenario", type=Path, help="another patient, other events (TOML)")
    room.set_defaults(run=lambda a: demo(speed=a.speed, listen=a.listen, scenario=a.scenario))


def _ending(commands: Commands) -> None:
    end = commands.add_parser("shutdown", help="end a room's service; asks during a treatment")
    end.add_argument("--site", type=Path, required=True)
    end.add_argument("--by", default=getpass.getuser(), help="who ends it, for the record")
    end.add_argument("--reason", default="")
    end.add_argument("--yes", action="store_true", help="do not ask")
    end.set_defaults(run=lambda a: shutdown(a.site, by=a.by, reason=a.reason, confirmed=a.yes))
    unit = commands.add_parser("unit", help="a systemd unit that serves a room")
    unit.add_argument("--site", type=Path, required=True)
    unit.add_argument("--user", default="hipec", help="the account that runs the service")
    unit.add_argument("--realtime", action="store_true", help="control before all ordinary work")
    unit.set_defaults(run=_unit)


def _unit(asked: argparse.Namespace) -> Answer:
    room = load_site(asked.site).about.id
    return 0, unit_text(asked.site, room, asked.user, realtime=asked.realtime)


def _files(commands: Commands) -> None:
    ahead = commands.add_parser("what-if", help="what a protocol would lead to, before incision")
    ahead.add_argument("protocol")
    ahead.add_argument("--technique", choices=[each.value for each in Technique])
    ahead.add_argument("--flow", type=float, metavar="ML_MIN", help="default: the protocol's")
    ahead.set_defaults(run=lambda a: foretell.what_if_text(a.protocol, a.technique, a.flow))
    site = commands.add_parser("site", help="what this room has").add_subparsers(required=True)
    site.add_parser("example").set_defaults(run=lambda _: site_text.example_text())
    check = site.add_parser("check")
    check.add_argument("file", type=Path)
    check.set_defaults(run=lambda asked: site_text.check_text(asked.file))
    protocols = commands.add_parser("protocols", help="what a treatment is").add_subparsers(
        required=True
    )
    protocols.add_parser("list").set_defaults(run=lambda _: show.list_text())
    one = protocols.add_parser("show")
    one.add_argument("id")
    one.set_defaults(run=lambda asked: show.show_text(asked.id))
    check = protocols.add_parser("check")
    check.add_argument("file", type=Path)
    check.add_argument("--site", type=Path, help="the site whose envelopes may be used")
    check.set_defaults(run=_check_protocol)


def _sessions(commands: Commands) -> None:
    sessions = commands.add_parser("sessions", help="the record").add_subparsers(required=True)
    records.add_commands(sessions)
    proof_commands.add_sessions_commands(sessions)
    keys = commands.add_parser("keys", help="the signing key").add_subparsers(required=True)
    proof_commands.add_keys_commands(keys)
    users = commands.add_parser("users", help="who may do what").add_subparsers(required=True)
    accounts.add_users_commands(users)
    stations = commands.add_parser("stations", help="the screens of the room").add_subparsers(
        required=True
    )
    accounts.add_stations_commands(stations)


def _devices(commands: Commands) -> None:
    devices = commands.add_parser("devices", help="the instruments").add_subparsers(required=True)
    add_commands(devices)
    room = devices.add_parser("simulate", help="a simulated room behind real serial ports")
    room.add_argument("--dir", type=Path, required=True)
    room.add_argument("--scenario", type=Path)
    room.add_argument("--speed", type=float, default=1.0)
    room.set_defaults(run=lambda asked: simulate(asked.dir, asked.scenario, asked.speed))
    fault = devices.add_parser("fault", help="break an instrument of a simulated room, or mend it")
    fault.add_argument("--dir", type=Path, required=True)
    fault.add_argument("device")
    fault.add_argument("fault", help="such as silent, unplug, replug; clear mends everything")
    fault.add_argument("--input", type=int)
    fault.add_argument("--value", type=float)
    fault.set_defaults(run=_fault)


def _serve(asked: argparse.Namespace) -> int:
    def ready(address: str, keys: Keys) -> None:
        print(f"The room is served at {address}/", flush=True)
        for role, token in keys.tokens.items():
            print(f"  {role:<13} {token}", flush=True)
        for role, code in keys.codes.items():
            print(f"  {role:<13} {address}/signin?code={code}", flush=True)

    return asyncio.run(_supervise(Plan(site=asked.site, speed=asked.speed, on_ready=ready)))


async def _supervise(plan: Plan) -> int:
    return await Supervisor(plan).run()


def _check_protocol(asked: argparse.Namespace) -> Answer:
    envelopes = load_site(asked.site).envelopes() if asked.site else {}
    return show.check_text(asked.file, envelopes)


def _fault(asked: argparse.Namespace) -> Answer:
    request: dict[str, object] = {"do": "fault", "device": asked.device, "fault": asked.fault}
    if asked.fault == "clear":
        request = {"do": "clear", "device": asked.device}
    extra = {"input": asked.input, "value": asked.value}
    request |= {name: value for name, value in extra.items() if value is not None}
    answer = ask(asked.dir, request)
    return (0, "done") if answer["ok"] else (1, str(answer["error"]))


if __name__ == "__main__":
    sys.exit(main())
