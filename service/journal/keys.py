"""The room's signing key: a file beside the database that only the service's user can read."""

import contextlib
import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from service.journal.rows import JournalError

KEY_MODE = 0o600


class KeyProblem(JournalError):
    """The signing key cannot be used; the text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An Ed25519 key (RFC 8032); `public` is 32 bytes in hexadecimal, `id` a short name for it."""

    private: Ed25519PrivateKey
    public: str

    @property
    def id(self) -> str:
        """What checkpoints call this key."""
        return key_id(self.public)

    def sign(self, statement: bytes) -> str:
        """The signature, in hexadecimal."""
        return self.private.sign(statement).hex()


def key_id(public: str) -> str:
    """The first sixteen hexadecimal digits of the SHA-256 of a public key."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def is_signed(public: str, signature: str, statement: bytes) -> bool:
    """Whether this key signed this statement."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def statement(kind: str, body: bytes) -> bytes:
    """What is signed of a row: its kind and its canonical JSON with every signature left empty.

    It is made from the bytes as they are stored, so that no later version reads it otherwise.
    """
    plain = json.loads(body)
    plain |= dict.fromkeys(("signature", "by_old", "by_new") & plain.keys(), "")
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"hipec-monitor {kind}\n{text}".encode()


def make_key(path: Path) -> Key:
    """A new key in a new file with mode 0600, on the disk; KeyProblem when that cannot be."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyProblem(
            f"The signing key {path} cannot be made: {error.strerror}."
            " Check that the folder exists and that the service may write there."
        ) from error
    return _key(private)


def load_key(path: Path) -> Key:
    """The key of a file; KeyProblem when it is missing, readable by others, or no such key."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            pem = file.read()
    except OSError as error:
        raise KeyProblem(f"The signing key {path} cannot be read: {error.strerror}.") from error
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != KEY_MODE:
        raise KeyProblem(
            f"The signing key {path} is not the service's alone (mode"
            f" {stat.S_IMODE(status.st_mode):04o}, user {status.st_uid}), so others may have"
            f" copied it. If nobody did: `chmod 600 {path}` as its owner, the user"
            f" {os.geteuid()}; otherwise also `hipec keys rotate`."
        )
    with contextlib.suppress(ValueError, TypeError):
        private = load_pem_private_key(pem, None)
        if isinstance(private, Ed25519PrivateKey):
            return _key(private)
    raise KeyProblem(
        f"{path} holds no Ed25519 key. Put the room's key back from its copy, or, if there is"
        " none, have it replaced: `hipec keys replace --reason …`."
    )


def _key(private: Ed25519PrivateKey) -> Key:
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Key(private=private, public=public.hex())


def _sync_folder(folder: Path) -> None:
    """A new name is only as durable as its folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
