"""What a token stands for is looked up once, however many pages ask."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import HTTPException

from service.web.accounts import Known


class Database:
    """Answers when it may, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.works = True
        self.open = asyncio.Event()

    async def read(self, _: Callable[[Any], Any]) -> str:
        self.asked += 1
        answer = f"answer {self.asked}"
        await self.open.wait()
        if not self.works:
            raise HTTPException(503, "The accounts cannot be read.")
        return answer


async def asking(known: Known[str], pages: int) -> list[asyncio.Task[str | None]]:
    tasks = [asyncio.create_task(known.find("token")) for _ in range(pages)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_thousand_pages_of_one_token_ask_the_database_once() -> None:
    database = Database()
    known = Known[str](database.read, lambda *_: None)
    pages = await asking(known, 1000)
    pages[0].cancel()
    database.open.set()
    assert set(await asyncio.gather(*pages[1:])) == {"answer 1"}
    assert (database.asked, pages[0].cancelled()) == (1, True)


async def test_what_was_asked_before_a_change_is_not_believed_after_it() -> None:
    database = Database()
    known = Known[str](database.read, lambda *_: None)
    (before,) = await asking(known, 1)
    known.forget()
    (after,) = await asking(known, 1)
    database.open.set()
    assert await before == "answer 1"
    assert await after == "answer 2"
    assert await known.find("token") == "answer 2"


async def test_a_database_that_fails_is_said_to_all_who_ask_and_asked_again() -> None:
    database = Database()
    database.works = False
    known = Known[str](database.read, lambda *_: None)
    pages = await asking(known, 3)
    database.open.set()
    for page in pages:
        with pytest.raises(HTTPException):
            await page
    database.works = True
    assert await known.find("token") == "answer 2"
