"""Byte-level devices for the drivers' tests, as small as the manuals allow."""


class FakeHeater:
    """A Julabo: silent to OUT, errors once in the next STATUS, remote or manual."""

    def __init__(self, **state: object) -> None:
        self.version = "JULABO CORIO CD VERSION 1.0"
        self.values = {"PV_00": "36.90", "PV_01": "-12", "PV_03": "37.1", "PV_04": "55.0"}
        self.setpoint = "20.00"
        self.remote = True
        self.running = False
        self.alarm = ""
        self.error = ""
        self.ends = "\r\n"
        self.obeys = True
        self.__dict__.update(state)

    def __call__(self, heard: bytes) -> bytes:
        command, _, value = heard.decode("latin-1").rstrip("\r").partition(" ")
        said = self._out(command, value) if command.startswith("OUT") else self._in(command)
        return (said + self.ends).encode("ascii") if said else b""

    def _out(self, command: str, value: str) -> str:
        if not self.remote:
            self.error = "-09 COMMAND NOT ALLOWED IN CURRENT OPERATING MODE"
        elif command == "OUT_SP_00" and float(value) > 95:
            self.error = "-11 VALUE TOO LARGE"
        elif command == "OUT_SP_00" and self.obeys:
            self.setpoint = value
        elif command == "OUT_MODE_05" and self.obeys:
            self.running = value == "1"
        return ""

    def _in(self, command: str) -> str:
        known = {
            "VERSION": self.version,
            "STATUS": self._status,
            "IN_SP_00": self.setpoint,
            "IN_MODE_05": "1" if self.running else "0",
        }
        known |= {f"IN_{name}": value for name, value in self.values.items()}
        if command not in known:
            self.error = "-08 INVALID COMMAND"
            return ""
        said = known[command]
        return said() if callable(said) else said

    def _status(self) -> str:
        error, self.error = self.error, ""
        number = 2 * self.remote + self.running
        names = ("MANUAL STOP", "MANUAL START", "REMOTE STOP", "REMOTE START")
        return error or self.alarm or f"0{number} {names[number]}"


class FakePump:
    """A Watson-Marlow of the long form (`ml_per_rev` set) or of the 323's (None)."""

    def __init__(self, **state: object) -> None:
        self.ml_per_rev: float | None = 15.84
        self.rpm = 100.0
        self.running = False
        self.tacho = 1000
        self.turns = True
        self.tells_count = True
        self.echo = False
        self.obeys = True
        self.number = 1
        self.__dict__.update(state)

    def __call__(self, heard: bytes) -> bytes:
        command = heard.decode("ascii").removesuffix("\r")
        echo = heard if self.echo else b""
        if command.startswith(str(self.number)):
            return echo + self._obey(command.removeprefix(str(self.number))).encode("ascii")
        return echo

    def _obey(self, command: str) -> str:
        if command.startswith("SP") and self.obeys:
            self.rpm = float(command[2:])
        elif command in ("GO", "ST") and self.obeys:
            self.running = command == "GO"
        elif command == "RS":
            return self._status()
        elif command == "RT" and self.tells_count:
            self._turn()
            return f"{self.tacho}!"
        return ""

    def _status(self) -> str:
        run = int(self.running)
        if self.ml_per_rev is None:
            return f"323Du {self.rpm:.0f} CW {run} !"
        self._turn()
        return (
            f"520Du {self.ml_per_rev:.2f} 520R 9.6MM {self.rpm:.1f} CW "
            f"P/N {self.number} {self.tacho} {run} !"
        )

    def _turn(self) -> None:
        self.tacho += 500 if self.running and self.turns else 0
