"""How long it takes to prove a session: chain and signatures, every effect once more, an export.

    python benchmarks/proof.py [MINUTES] [FOLDER]

The session is a treatment of the tests' room with eight devices and twenty channels at 1 Hz and
ten ticks a second, recorded with a checkpoint and the core's state each minute. The floor reads the
rows and makes SHA-256 over them.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from service.core.session import step
from service.journal.comparing import compare
from service.journal.signing import KeySigner, open_key
from service.journal.store import Store, open_reading, open_writing
from service.journal.verify import verify_chain
from service.records import stand_alone
from service.records.export import export
from service.records.proof import verify
from tests.journal.treatments import long_treatment, record

T = TypeVar("T")


def timed(what: str, work: Callable[[], T]) -> T:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    result = work()
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    print(f"{what:<44} {took_s:7.2f} s, of which CPU {cpu_s:7.2f} s", flush=True)
    return result


def floor(store: Store, session: str) -> None:
    for row in store.rows(session):
        hashlib.sha256(row.body).digest()


def measure(minutes: float, folder: Path) -> None:
    bench = long_treatment(minutes)
    url = f"sqlite:///{folder / 'hipec.db'}"
    store = open_writing(url)
    key, introduction = open_key(store, folder / "key", bench.events[0].at)
    session, _ = record(store, bench, KeySigner(key), first=introduction)
    store.close()
    store = open_reading(url)
    rows = sum(1 for _ in store.rows(session))
    print(f"{minutes:g} minutes, {rows} rows, {(folder / 'hipec.db').stat().st_size} bytes")
    timed("floor: read every row, SHA-256 of its body", lambda: floor(store, session))
    verdict = timed("chain, tree, signatures", lambda: verify_chain(store, session))
    assert verdict.findings == [], verdict
    timed("every event through the core", lambda: list(compare(store.rows(session), step)))
    code, text = verify(url, session)
    assert code == 0, text
    exported = timed("export", lambda: export(store, session, folder))
    print(f"  {sum(path.stat().st_size for path in exported.iterdir())} bytes")
    timed("stand-alone verifier", lambda: stand_alone.verified(exported))
    answer = timed("export verified with replay", lambda: verify("", session, file=exported))
    assert answer[0] == 0, answer
    store.close()


if __name__ == "__main__":
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 90.0
    if len(sys.argv) > 2:
        measure(minutes, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            measure(minutes, Path(temporary))
