"""Virtual room-hours by chance: python -m tests.hours [HOURS] [FIRST_SEED] [PROCESSES]

Each seed is a room of up to two hours; a seed that breaks something is played again by
`python -m tests.hours 2 SEED 1`.
"""

import sys

from tests.hours.play import played_hours


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    first_seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    print(played_hours(hours, first_seed, processes))


if __name__ == "__main__":
    main()
