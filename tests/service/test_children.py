"""A process that is loaded and waits: it holds nothing, and the room can do without it."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service.children import Starter
from tests.e2e.room import children

pytestmark = [pytest.mark.integration, pytest.mark.real_time]
HELD = re.compile(r"socket|/dev/pts|\.db|\.lock")
LAST_LOADED = {"service.control": "_multiarray_umath", "service.web": "_pydantic_core"}
PATIENCE_S = 60.0


def waiting(module: str) -> Iterator[int]:
    for pid in children(os.getpid()):
        if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            yield pid


def state(pid: int) -> str:
    """As in proc(5); empty when the process is gone."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def is_loaded(pid: int, module: str) -> bool:
    """Loaded to its last library, and asleep."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return state(pid) == "S" and LAST_LOADED[module] in maps


def opened(pid: int) -> Iterator[str]:
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield os.readlink(fd)


@pytest.mark.requirement("RC-200")
@pytest.mark.parametrize("module", LAST_LOADED)
async def test_a_process_that_waits_has_no_port_no_database_and_no_lock_open(
    module: str,
) -> None:
    starter = Starter(module, answers=True)
    await starter.prepare()
    (pid,) = waiting(module)
    async with asyncio.timeout(PATIENCE_S):
        while not is_loaded(pid, module):
            await asyncio.sleep(0.05)
    held = [each for each in opened(pid) if HELD.search(each)]
    assert not held, held
    await starter.close()


@pytest.mark.requirement("RC-200")
async def test_where_the_waiting_process_has_died_the_next_one_is_started_from_nothing() -> None:
    starter = Starter("service.web", answers=True)
    await starter.prepare()
    (pid,) = waiting("service.web")
    os.kill(pid, 9)
    async with asyncio.timeout(PATIENCE_S):
        while state(pid) not in "Z":
            await asyncio.sleep(0.05)
    await starter.prepare()
    assert not list(waiting("service.web")), "a program that dies is not loaded over and over"
    process = await starter.start("{}")
    async with asyncio.timeout(PATIENCE_S):
        _, _ = await process.communicate()
    assert process.returncode == 2, "it read its settings, which are not enough"
