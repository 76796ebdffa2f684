"""Register maps of real instruments, as an engineer writes them into the site file."""

import tomllib

_TEXTS = {
    "nt18b07": """
model = "NT18B07"
"""
    + "".join(
        f"""
[[input]]
number = {number}
name = "NTC {number}"
register = {number - 1}
scale = 0.1
lowest = -40.0
highest = 125.0
"""
        for number in range(1, 8)
    ),
    "pm6rtd": """
model = "ProMux PM6RTD"
"""
    + "".join(
        f"""
[[input]]
table = "input"
register = {register}
scale = 0.1
overflow = [32768]
underflow = [-32767]
"""
        for register in range(6)
    ),
    "sts_dtm": """
model = "STS DTM.OCS.S, 0 to 300 mmHg"
device_class = "pressure"
[[input]]
number = 1
name = "pressure"
unit = "mmHg"
table = "input"
register = 0
scale = 0.03
[[input]]
number = 2
name = "temperature"
table = "input"
register = 1
scale = 0.1
""",
    "keller_float": """
model = "KELLER 33X by Modbus"
device_class = "pressure"
[[input]]
unit = "mmHg"
register = 2
format = "float32"
scale = 750.062
resolution = 0.1
""",
}
MAPS = {name: tomllib.loads(text) for name, text in _TEXTS.items()}
