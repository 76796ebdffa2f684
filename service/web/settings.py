"""What the web process is told by whoever starts it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.core.model import Mode, PersonRole

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PAGES = Path(__file__).resolve().parents[2] / "web"


class ProtocolEntry(BaseModel):
    """One line of the list of protocols that a page offers; dose in mg/m², None without a drug."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    technique: str
    duration_min: float
    version: int = 1
    description: str = ""
    drug: str | None = None
    dose_mg_m2: float | None = None
    carriers: tuple[str, ...] = ()


class Oidc(BaseModel):
    """An OpenID Connect provider: who it is, who we are to it, and which group is which role."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    client_id: str
    secret_file: Path | None = None
    claim: str = "groups"
    roles: dict[str, PersonRole]


class Settings(BaseModel):
    """The web process's settings: a line of JSON on its standard input.

    `socket` is the control process's Unix socket, `database` the journal's URL, beside which the
    accounts lie; `origins` every address that a browser may open the pages under (default: the
    listen address); `idle_s` without a hand on the page makes a person a watcher.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    room: str
    mode: Mode
    socket: Path
    database: str
    listen: str = "127.0.0.1:8000"
    origins: tuple[str, ...] = ()
    pages: Path = _PAGES
    protocols: tuple[ProtocolEntry, ...] = ()
    oidc: Oidc | None = None
    idle_s: float = Field(default=900.0, gt=0)
    version: str = "0"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    heard_within_s: float = Field(default=3.0, gt=0)

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"'{listen}' is not host:port; write for example 127.0.0.1:8000")
        return listen

    @property
    def host(self) -> str:
        """The address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def loopback(self) -> bool:
        """True when nobody outside this machine can connect."""
        return self.host in LOOPBACK

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The exact origins that browsers may come from."""
        if self.origins:
            return frozenset(self.origins)
        scheme = "https" if self.tls_certificate else "http"
        names = {"127.0.0.1", "localhost", "[::1]"} if self.loopback else {self.host}
        return frozenset(f"{scheme}://{name}:{self.port}" for name in names)

    @property
    def secure(self) -> bool:
        """True when browsers reach the pages by TLS, ours or a proxy's in front of us."""
        return all(origin.startswith("https://") for origin in self.allowed_origins)
