"""Wrong passwords make the next try wait, longer each time: per account and per address.

A lock-out never reaches an enrolled station's stop, heat off and acknowledge, which ask for none.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, insert, select, update

from service.accounts.tables import failures

FREE: Mapping[str, int] = {"account": 4, "address": 20}
"""So many wrong tries cost nothing; each one more doubles the wait, from 1 s."""

LONGEST_S = 15 * 60.0
FORGOTTEN_S = 24 * 3600.0


def subjects(account: str, address: str) -> tuple[str, str]:
    """Whose wrong tries are counted, whether or not there is such an account."""
    return f"account:{account.strip().casefold()}", f"address:{address}"


def wait_s(db: Connection, who: Iterable[str], now_utc: float) -> float:
    """How long these have to wait before a password is looked at again, s; 0 for not at all."""
    query = select(failures.c.until_utc).where(failures.c.subject.in_(tuple(who)))
    return max([0.0, *(until - now_utc for until in db.scalars(query))])


def failed(db: Connection, who: Iterable[str], now_utc: float) -> float:
    """Count a wrong try; how long the next one has to wait, s."""
    db.execute(delete(failures).where(failures.c.last_utc < now_utc - FORGOTTEN_S))
    longest = 0.0
    for subject in who:
        mine = failures.c.subject == subject
        before = db.scalar(select(failures.c.count).where(mine))
        count = (before or 0) + 1
        over = count - FREE[subject.partition(":")[0]]
        waits_s = min(2.0 ** (over - 1), LONGEST_S) if over > 0 else 0.0
        values = {"count": count, "until_utc": now_utc + waits_s, "last_utc": now_utc}
        new = insert(failures).values(subject=subject, **values)
        db.execute(new if before is None else update(failures).where(mine).values(**values))
        longest = max(longest, waits_s)
    return longest


def succeeded(db: Connection, account: str) -> None:
    """The right password: the account's wrong tries are forgotten, the address's are not."""
    db.execute(delete(failures).where(failures.c.subject == account))
