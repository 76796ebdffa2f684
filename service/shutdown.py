"""`hipec shutdown`: ends a room's service, and asks first where it treats somebody."""

import asyncio
import sys
from pathlib import Path

from service.runtime import SUPERVISOR, holder_of, runtime_folder
from service.site import load_site
from service.wire import WireError, read_message, write_message

ANSWER_S = 5.0


def shutdown(site: Path, *, by: str, reason: str, confirmed: bool) -> tuple[int, str]:
    """End the service of this site; the exit code and what happened."""
    room = load_site(site).about.id
    folder = runtime_folder(site)
    if holder_of(folder / SUPERVISOR) is None:
        return 1, f"Room {room} is not being served."
    request = {"type": "shutdown", "by": by, "reason": reason, "confirmed": confirmed}
    answer = asyncio.run(_ask(folder / "supervisor", request))
    if answer is not None and not answer["ends"] and _is_sure(room):
        answer = asyncio.run(_ask(folder / "supervisor", {**request, "confirmed": True}))
    if answer is None:
        return 1, f"Room {room} does not answer; nothing was ended."
    if not answer["ends"]:
        return 1, f"Room {room} goes on."
    return 0, f"Room {room} ends; heater and pump are switched off."


def _is_sure(room: str) -> bool:
    print(f"Room {room} is treating. Ending it switches heater and pump off.", file=sys.stderr)
    print(f"Type {room} to end it all the same: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == room


async def _ask(socket: Path, request: dict[str, object]) -> dict[str, object] | None:
    """One question to the supervisor; None when there is no answer in time."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                await write_message(writer, request)
                return await read_message(reader)
            finally:
                writer.close()
    except (OSError, WireError, TimeoutError):
        return None
