"""How whole replies are found in what has arrived, and how arrived bytes are told to people."""

from drivers.dialogue import BadReply, Framer, NoReply, Reply
from service.core.model import Instant

LONGEST_LINE = 256
INBOX_BYTES = 4096


def arrived(data: bytes) -> str:
    """The bytes as a person can read them: text where it is text, else hexadecimal."""
    shown = data[:48]
    tail = " …" if len(data) > len(shown) else ""
    text = shown.strip(b"\r\n\0")
    if text and all(32 <= byte < 127 for byte in text):
        return f'"{text.decode("ascii")}"{tail}'
    return f"{shown.hex(' ')}{tail}"


def text_of(data: bytes) -> str:
    """The ASCII text of a reply without its line ends; raises `BadReply` where it is none."""
    try:
        text = data.decode("ascii").strip("\r\n ")
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise BadReply(f"{arrived(data)} arrived instead of text; check baud rate and parity")
    return text


def line_of_text(data: bytes) -> int | None:
    """Frame one line that ends in CR, LF or both; line ends before it belong to no line."""
    start = len(data) - len(data.lstrip(b"\r\n"))
    ends = [end for end in (data.find(b"\r", start), data.find(b"\n", start)) if end >= 0]
    if ends:
        return min(ends) + 1
    if len(data) > LONGEST_LINE:
        raise BadReply(f"{arrived(data)} arrived without an end of line")
    return None


class Inbox:
    """What has arrived on a line and was not yet used, each chunk with its one stamp."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._chunks: list[tuple[int, Instant]] = []
        self._tried = 0
        self._echo = b""

    def __len__(self) -> int:
        """Bytes that have arrived and were not yet used."""
        return len(self._data)

    def holds_more(self) -> bool:
        """True when something is left that is not just the line end behind the last reply."""
        return bool(self._data.strip(b"\r\n"))

    def discard(self, echo: bytes = b"") -> None:
        """Forget what has arrived; if exactly `echo` comes next, it is stripped once."""
        self._data.clear()
        self._chunks.clear()
        self._tried = 0
        self._echo = echo

    def feed(self, chunk: bytes, at: Instant) -> None:
        """Add what was read in one go. What nobody wanted for `INBOX_BYTES` is dropped."""
        if len(self._data) > INBOX_BYTES:
            self.discard(self._echo)
        self._data += chunk
        self._chunks.append((len(self._data), at))

    def take(self, reply: Framer) -> Reply | None:
        """The first whole reply, stamped by the chunk that completed it, or None.

        Raises `BadReply` where the bytes can never become one; they are dropped then.
        """
        if not self._chunks or not self._without_echo():
            return None
        try:
            for tried in range(self._tried, len(self._chunks)):
                end, at = self._chunks[tried]
                length = reply(bytes(self._data[:end]))
                if length is not None:
                    return Reply(data=self._cut(length), at=at)
        except BadReply:
            self.discard()
            raise
        self._tried = len(self._chunks)
        return None

    def start_over(self) -> None:
        """Forget which chunks were tried: another kind of reply is wanted from here on."""
        self._tried = 0

    def no_reply(self) -> NoReply:
        """The error for a deadline that passed, with what arrived up to then, to be raised."""
        if self._data:
            return NoReply(f"the answer broke off after {arrived(bytes(self._data))}")
        return NoReply("no answer")

    def _without_echo(self) -> bool:
        if self._echo and len(self._data) < len(self._echo):
            if self._echo.startswith(self._data):
                return False
            self._echo = b""
        if self._echo:
            if self._data.startswith(self._echo):
                self._cut(len(self._echo))
            self._echo = b""
        return True

    def _cut(self, length: int) -> bytes:
        data = bytes(self._data[:length])
        del self._data[:length]
        self._chunks = [(end - length, at) for end, at in self._chunks if end > length]
        self._tried = 0
        return data
