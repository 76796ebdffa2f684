"""The README of an export: what each file and field is, for somebody who has never seen one."""

from service.core.model import Mode

_SIMULATED = """
> **SIMULATED DATA (mode {mode}): no patient was treated in this session.**
"""

_TEXT = """# Session {session}
{simulated}
A treatment recorded by hipec-monitor, {program}.

Prove it: `python {prefix}verify.py` in this folder (Python 3.9 or newer and the package
`cryptography`, no network). Add `--checkpoint FILE` with checkpoints that somebody kept elsewhere:
only they show that rows were cut off at the end. Take the verifier from a source that you trust,
because whoever can change these files can change it too.

| file | what it holds |
|---|---|
| `{prefix}events.jsonl` | every row of the record, one JSON object a line, in order |
| `{prefix}samples.csv` | every measurement, one row per channel and reading (UTF-8, comma) |
| `{prefix}samples.parquet` | the same for column readers |
| `{prefix}checkpoints.jsonl` | the signed checkpoints, with the public key of each |
| `{prefix}keys.json` | the room's public keys and how each was put into use |
| `{prefix}manifest.json` | SHA-256 and size of every file, number, root and head of the rows |
| `{prefix}verify.py` | the verifier |

## events.jsonl

`n` counts from 0. `kind` names what the row is: an event (`Frame`, `Command`, `Tick` …), an effect
that followed from it (`AlarmChanged`, `HeaterOff` …), the whole `State` of the core, or a row of
the journal itself (`Opening`, `Layout`, `Checkpoint` …). `utc` is for people; `at_mono_ns` decides
about the length of time, `at_utc_ns` is the same moment in UTC; both are nanoseconds. `mode` is
real, test or demo. `schema` is the version of the row's body.

`body` is the row's exact canonical JSON. A packed row has `body_base64` instead, and `frame` says
what it holds. `hash` is SHA-256 over the hash of the row before it (32 zero bytes for the first)
and: length of chain (u32), chain, n (i64), length of kind (u32), kind, schema (i64), at_mono_ns
(i64), at_utc_ns (i64), length of body (u32), body; all big-endian, texts in UTF-8.

A `Checkpoint` holds the root of the Merkle tree (RFC 6962, the entries are the hashes) over all
rows before it. Its Ed25519 signature is over the text `hipec-monitor Checkpoint`, a line feed, and
its canonical JSON with an empty `signature`.

## samples

| column | what it is |
|---|---|
| utc | when the reading's last byte was read, UTC |
| mono_ns | the same moment on the machine's monotonic clock (ns); it decides |
| device, channel | which instrument, which of its inputs |
| site | where in the body, for the roles site and core |
| role | what the channel means in the circuit or the patient |
| value | the reading; empty (null) where there is none, never 0 for "unknown" |
| unit | degC, ml/min, mmHg, ml, rpm, %, on/off |
| validity | valid, questionable, invalid, overflow, underflow, not_available (IEEE 11073 BICEPS) |
| mode | real, test or demo |
| reason | why the reading is not simply valid |
"""


def read_me(session: str, mode: Mode, program: str) -> str:
    """The README of one session's export, in Markdown."""
    simulated = mode is not Mode.REAL
    return _TEXT.format(
        session=session,
        simulated=_SIMULATED.format(mode=mode.value) if simulated else "",
        program=program,
        prefix="SIMULATED-" if simulated else "",
    )
