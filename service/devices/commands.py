"""The command line of `hipec devices` that talks to real instruments."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from drivers.wire_file import WireFileError
from service.devices import bench_set, listing
from service.devices.bench import Bench, BenchError, make_bench, read_settings
from service.devices.probe import probe, probe_json, probe_text
from service.devices.traffic import traffic_text
from service.devices.watch import watch
from service.devices.wire_replay import replay_text

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = int | tuple[int, str]
"""The exit code, with what is still to be printed."""
Work = Callable[[argparse.Namespace], Answer]
MOST_POLLS = 1000


def add_commands(devices: Commands) -> None:
    """Add list, probe, watch, set, traffic and replay."""
    listed = devices.add_parser("list", help="the drivers: what they measure, line, manual")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=_list)

    probed = _on_a_port(devices, "probe", "who answers, what it reads, how fast", _probe)
    probed.add_argument("--polls", type=_polls, default=10, help="how often it is polled")
    probed.add_argument("--json", action="store_true")

    watched = _on_a_port(devices, "watch", "its readings, line by line, until Ctrl-C", _watch)
    watched.add_argument("--hz", type=_hz, default=1.0, help="polls per second")
    watched.add_argument("--json", action="store_true", help="one JSON object per line")

    moved = _on_a_port(devices, "set", "bench use: run or stop a drive", _set)
    moved.add_argument("order", choices=("run", "off"))
    moved.add_argument("value", type=float, nargs="?", help="°C, ml/min; contactors: none")
    moved.add_argument("--for", dest="for_s", type=_run_s, default=60.0, metavar="SECONDS")
    moved.add_argument("--bench", action="store_true", help="no patient is connected")

    kept = devices.add_parser("traffic", help="the last 60 s on the line of a served room's device")
    kept.add_argument("device", help="as site.toml names it")
    kept.add_argument("--site", type=Path, default=Path("site.toml"), help="the room's site file")
    kept.set_defaults(run=lambda asked: _told(_traffic, asked))

    replayed = devices.add_parser("replay", help="recorded traffic through a driver")
    replayed.add_argument("file", type=Path, metavar="WIRE.jsonl")
    replayed.add_argument("--driver", default="", help="if not the one that it was recorded with")
    replayed.add_argument("--setting", action="append", default=[], metavar="KEY=VALUE")
    replayed.set_defaults(run=lambda asked: _told(_replay, asked))


def _on_a_port(devices: Commands, name: str, about: str, work: Work) -> argparse.ArgumentParser:
    parser = devices.add_parser(name, help=about)
    parser.add_argument("--driver", required=True, help="as `hipec devices list` names it")
    parser.add_argument("--port", required=True, help="a path, or socket://host:port")
    parser.add_argument("--baud", type=int)
    parser.add_argument("--address", type=int)
    parser.add_argument(
        "--setting", action="append", default=[], metavar="KEY=VALUE", help="as in site.toml"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the traffic, for replay")
    parser.set_defaults(run=lambda asked: _told(work, asked))
    return parser


def _told(work: Work, asked: argparse.Namespace) -> Answer:
    try:
        return work(asked)
    except (BenchError, WireFileError) as error:
        return 1, str(error)
    except KeyboardInterrupt:
        return 1, "interrupted"


def _bench(asked: argparse.Namespace) -> Bench:
    settings = read_settings(asked.setting)
    short = {"baud": asked.baud, "address": asked.address}
    settings |= {name: value for name, value in short.items() if value is not None}
    return make_bench(asked.driver, asked.port, settings, asked.record)


def _list(asked: argparse.Namespace) -> Answer:
    return 0, listing.list_json() if asked.json else listing.list_text()


def _probe(asked: argparse.Namespace) -> Answer:
    bench = _bench(asked)
    found = asyncio.run(probe(bench, asked.polls, _complain))
    return 0, probe_json(bench, found) if asked.json else probe_text(bench, found)


def _watch(asked: argparse.Namespace) -> Answer:
    asyncio.run(watch(_bench(asked), asked.hz, asked.json, _say))
    return 0


def _set(asked: argparse.Namespace) -> Answer:
    bench = _bench(asked)
    bench_set.check(bench, asked.bench, asked.order, asked.value)
    done = asyncio.run(bench_set.set_drive(bench, asked.order, asked.value, asked.for_s, _say))
    return 0 if done else (1, "the order was not carried out; look at the drive itself")


def _traffic(asked: argparse.Namespace) -> Answer:
    return 0, traffic_text(asked.site, asked.device)


def _replay(asked: argparse.Namespace) -> Answer:
    code, text = replay_text(asked.file, asked.driver, read_settings(asked.setting))
    print(text)
    return code


def _say(text: str) -> None:
    """Print at once; where nobody reads any more, end as Ctrl-C does, a drive's off included."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal.raise_signal(signal.SIGTERM)


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _within(low: float, high: float, text: str) -> float:
    value = float(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
    return value


def _polls(text: str) -> int:
    return int(_within(1, MOST_POLLS, text))


def _hz(text: str) -> float:
    return _within(0.01, 20, text)


def _run_s(text: str) -> float:
    return _within(1, 3600, text)
