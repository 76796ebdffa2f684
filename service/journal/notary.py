"""Who signs the record of a running room: its key, and the copies of checkpoints kept elsewhere."""

import logging
from collections.abc import Callable
from pathlib import Path

from service.core.model import Instant
from service.journal.elsewhere import Elsewhere
from service.journal.keys import KeyProblem
from service.journal.rows import KeyInUse
from service.journal.signing import KeySigner, Signer, WithoutKey, open_key
from service.journal.store import Store

log = logging.getLogger(__name__)


class Notary:
    """A room's signer. `introduces` is what the room's chain is to say of a new key, `problem` why
    nothing is signed ("" when it is)."""

    signer: Signer
    introduces: tuple[KeyInUse, ...] = ()
    problem: str = ""

    def __init__(
        self,
        store: Store,
        *,
        key: Path,
        elsewhere: Path | None,
        at: Instant,
        treating: Callable[[], bool],
        tell: Callable[[object], object],
    ) -> None:
        """`tell` takes what is to be put into the room's chain.

        Raises KeyProblem, but not while a session is open (`treating`): then the record goes on
        unsigned and says so, because a patient is being treated.
        """
        self._elsewhere = Elsewhere(elsewhere, tell) if elsewhere else None
        try:
            opened, introduction = open_key(store, key, at)
        except KeyProblem as problem:
            if not treating():
                raise
            log.error("the record of this session is not signed: %s", problem)
            self.problem = str(problem)
            self.signer = WithoutKey(self.problem)
            return
        keep = self._elsewhere.keep if self._elsewhere else None
        self.signer = KeySigner(opened, keep)
        self.introduces = (introduction,) if introduction else ()

    def close(self) -> None:
        """Ends the copying; call it after the writer's end, which signs what is not signed yet."""
        if self._elsewhere is not None and (left := self._elsewhere.close()):
            log.error("%d checkpoints could not be copied elsewhere", left)
