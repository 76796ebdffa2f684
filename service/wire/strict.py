"""The one way in which every shape on the wire is checked."""

from pydantic import BaseModel, ConfigDict

Scalar = str | float | int | bool | None


class Strict(BaseModel):
    """Nothing unknown, nothing infinite, nothing that changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True
    )
