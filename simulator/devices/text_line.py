"""Commands that end in CR: collected from chunks, each with the times that quiet rules need."""

from dataclasses import dataclass

CR, LF = 0x0D, 0x0A
LONGEST = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command without its CR; `sent_s` is when its host wrote it, `at_s` when it was here."""

    text: str
    sent_s: float
    at_s: float


class CommandBuffer:
    """Collects bytes until CR. `seven_bit` drops the parity bit, as a 7E1 receiver does."""

    def __init__(self, *, seven_bit: bool = False) -> None:
        self._mask = 0x7F if seven_bit else 0xFF
        self.clear()

    def clear(self) -> None:
        """Forget an unfinished command."""
        self._bytes = bytearray()
        self._sent_s = 0.0

    def feed(self, data: bytes, now_s: float, sent_s: float | None) -> list[Command]:
        """The commands that `data` completed; LF and empty lines are nothing, an endless line is
        cut off."""
        found = []
        for byte in (each & self._mask for each in data):
            if byte == CR and self._bytes:
                text = self._bytes.decode("latin-1")
                found.append(Command(text=text, sent_s=self._sent_s, at_s=now_s))
                self._bytes.clear()
            elif byte not in (CR, LF) and len(self._bytes) < LONGEST:
                if not self._bytes:
                    self._sent_s = now_s if sent_s is None else sent_s
                self._bytes.append(byte)
        return found
