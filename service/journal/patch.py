"""The difference between two JSON values, small where they are nearly the same.

A difference is `[0, value]` (replaced by this), or `[1, changed, gone]` for an object: the
difference of every member that changed, `[0, value]` for a new one, and the names that are gone.
"""

from typing import Any

Json = Any


def difference(before: Json, after: Json) -> Json:
    """What turns `before` into `after`; None when nothing does."""
    if type(before) is type(after) and before == after and repr(before) == repr(after):
        return None
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [0, after]
    changed = {
        name: found
        for name, value in after.items()
        if (found := difference(before[name], value) if name in before else [0, value]) is not None
    }
    return [1, changed, [name for name in before if name not in after]]


def apply(before: Json, change: Json) -> Json:
    """What `difference` was given as `after`, its members in sorted order."""
    if change is None:
        return before
    if change[0] == 0:
        return change[1]
    _, changed, gone = change
    kept = {name: value for name, value in before.items() if name not in gone}
    return kept | {name: apply(kept.get(name), found) for name, found in changed.items()}
