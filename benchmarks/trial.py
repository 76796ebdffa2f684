"""What a trial costs by its number of patients: processor time and memory of one process.

    python benchmarks/trial.py CONTROLLER PROTOCOL PATIENTS

Seed 1. Run it for 100, 1,000 and 10,000 patients to see whether the cost of one stays the same.
"""

import resource
import sys
import time

from service.virtual.chosen import protocol_of
from service.virtual.cohort import drawn
from service.virtual.trial import Trial

WARM_UP = 1


def main(controller: str, protocol: str, count: int) -> None:
    chosen = {"protocol": protocol, "controller": controller, "processes": 1, "quiet": True}
    Trial(patients=drawn(7, WARM_UP), **chosen).run()  # compiled code is made or fetched here
    began_s = time.process_time()
    found = Trial(patients=drawn(1, count), **chosen).run()
    spent_s = time.process_time() - began_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    gates = sum(each.gate_min is not None for each in found)
    print(
        f"{controller}, {protocol_of(protocol).id}: {count} patients ({gates} reached the gate), "
        f"{spent_s:.1f} CPU-seconds, {1000 * spent_s / count:.1f} ms each, peak {peak_mb:.0f} MB"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
