"""Pages by TLS: the certificate of the settings, cookies bound to it, nothing in the clear."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect

from service.core.model import PersonRole
from tests.web.conftest import issue, serving, settings_in
from tests.web.control_side import control_side, next_of, until


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "or-3")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "or-3.pem", folder / "or-3.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.mark.asyncio
async def test_pages_and_the_live_stream_come_by_tls_with_host_cookies(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    settings = settings_in(tmp_path, tls_certificate=cert, tls_key=key)
    trusted = ssl.create_default_context(cafile=str(cert))
    token = issue(settings, PersonRole.PERFUSIONIST, "P", "perfusion")
    async with control_side(settings.socket), serving(settings) as (plain, parts):
        origin = plain.replace("http", "https")
        await until(lambda: parts.hub.snapshot)
        async with httpx.AsyncClient(base_url=origin, verify=trusted, trust_env=False) as http:
            page = await http.get("/")
            answer = await http.get("/api/session")
        cookie = {"Cookie": f"__Host-hipec={token}", "Origin": origin}
        url = origin.replace("https", "wss") + "/api/live"
        async with connect(url, additional_headers=cookie, ssl=trusted, proxy=None) as live:
            assert (await next_of(live, "hello"))["you"]["name"] == "P"
            assert (await next_of(live))["type"] == "snapshot"
        with pytest.raises(httpx.RemoteProtocolError):
            async with httpx.AsyncClient(trust_env=False) as clear:
                await clear.get(plain + "/healthz")
    names = sorted(c.split("=")[0] for c in page.headers.get_list("set-cookie"))
    assert names == ["__Host-hipec", "__Host-hipec-station"]
    assert all("Secure" in c and "Path=/" in c for c in page.headers.get_list("set-cookie"))
    assert "max-age" in page.headers["strict-transport-security"]
    assert answer.status_code == 200
