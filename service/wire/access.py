"""What the control process is told about who comes in, for the room's record."""

from enum import StrEnum
from typing import Literal

from service.wire.strict import Strict


class AccessKind(StrEnum):
    """What is put on record about who may come in."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    LINK_ISSUED = "link_issued"
    TOKEN_ISSUED = "token_issued"
    ACCOUNT_ADDED = "account_added"
    ROLE_CHANGED = "role_changed"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    PASSWORD_CHANGED = "password_changed"
    STATION_ENROLLED = "station_enrolled"
    STATION_REVOKED = "station_revoked"
    EXPORTED = "exported"


class AccessTold(Strict):
    """Somebody came in, was kept out, or changed who may come in."""

    type: Literal["access"] = "access"
    what: AccessKind
    who: str
    by: str = ""
    station: str = ""
    address: str = ""
    text: str = ""
