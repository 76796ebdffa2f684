"""How often somebody may speak: a bucket that refills."""

import time
from collections import OrderedDict

MOST_COUNTED = 1000


class Bucket:
    """So many at once, so many a second from then on."""

    def __init__(self, *, burst: float, rate_hz: float) -> None:
        self._burst, self._rate_hz = burst, rate_hz
        self._left = burst
        self._at = time.monotonic()

    def take(self) -> bool:
        """True while the rate is kept."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate_hz) - 1
        self._at = now
        return self._left >= 0


class Buckets:
    """One bucket for each of those who spoke last."""

    def __init__(self, *, burst: float, rate_hz: float) -> None:
        self._burst, self._rate_hz = burst, rate_hz
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, who: str) -> bool:
        """True while this one keeps to the rate."""
        bucket = self._buckets.pop(who, None)
        self._buckets[who] = bucket or Bucket(burst=self._burst, rate_hz=self._rate_hz)
        if len(self._buckets) > MOST_COUNTED:
            self._buckets.popitem(last=False)
        return self._buckets[who].take()
