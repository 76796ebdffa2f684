"""A driver's own settings from `site.toml`: each is checked, and an unknown one is refused."""

from collections.abc import Mapping
from typing import TypeVar

from drivers.classes import Serial, SettingError

T = TypeVar("T")
PARITIES = ("N", "E", "O")


class Settings:
    """The settings that one device was given; a driver takes out of it what it knows.

    Every method raises `SettingError` with a sentence for the technician; `finish` refuses what
    nobody took and names what is allowed.
    """

    def __init__(self, driver: str, given: Mapping[str, object]) -> None:
        self._driver = driver
        self._given = given
        self._known: list[str] = []

    def refuse(self, name: str, allowed: str) -> SettingError:
        """The error for a setting that cannot be used, to be raised."""
        given = self._given.get(name)
        return SettingError(f"{self._driver}: {name} = {given!r} cannot be used; {allowed}.")

    def given(self, name: str) -> object:
        """The setting as it stands in the file, None when it is absent."""
        self._known.append(name)
        return self._given.get(name)

    def number(self, name: str, default: float | None, low: float, high: float) -> float | None:
        """A number from `low` to `high`, both included."""
        value = self.given(name)
        if value is None:
            return default
        if isinstance(value, int | float) and type(value) is not bool and low <= value <= high:
            return float(value)
        raise self.refuse(name, f"it must be a number from {low:g} to {high:g}")

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        value = self.given(name)
        if value is None:
            return default
        if type(value) is int and low <= value <= high:
            return value
        raise self.refuse(name, f"it must be a whole number from {low} to {high}")

    def choice(self, name: str, default: T, allowed: tuple[T, ...]) -> T:
        """One of the `allowed` values."""
        value = self.given(name)
        if value is None:
            return default
        for one in allowed:
            if value == one and type(value) is not bool:
                return one
        raise self.refuse(name, f"it must be one of {', '.join(map(repr, allowed))}")

    def flag(self, name: str) -> bool:
        """True or false, false when it is absent."""
        value = self.given(name)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(name, "it must be true or false")
        return bool(value)

    def serial(self, usual: Serial) -> Serial:
        """How the line talks: the device's usual way, unless the site says otherwise."""
        return Serial(
            baud=self.whole("baud", usual.baud, 50, 4_000_000),
            bytesize=self.whole("bytesize", usual.bytesize, 7, 8),
            parity=self.choice("parity", usual.parity, PARITIES),
            stopbits=self.whole("stopbits", usual.stopbits, 1, 2),
        )

    def finish(self) -> None:
        """Refuse every setting that nobody asked for."""
        unknown = sorted(set(self._given) - set(self._known))
        if unknown:
            allowed = ", ".join(self._known)
            raise SettingError(
                f"{self._driver} has no setting {', '.join(unknown)}; allowed are: {allowed}."
            )
