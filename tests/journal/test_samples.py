"""The arrays of a session hold exactly the readings of its frames."""

import math

import pytest

from service.core.events import Frame
from service.journal.codec import CODEC
from service.journal.packing import VALIDITIES
from service.journal.samples import Samples, read_samples
from service.journal.sealing import Unsealer
from service.journal.store import Store
from tests.journal.material import SESSION, frame, tick, writing

FRAMES = [
    *(frame(n, 42.0 + n / 100, 41.5) for n in range(20)),
    *(frame(n, 43.0, None) for n in range(20, 30)),
    *(frame(n, 1 / 3, 41.0) for n in range(30, 32)),
    *(frame(n + 0.5, 120.0 + n, device="pump") for n in range(10)),
    *(frame(n, 44.0 + n / 100, 41.5) for n in range(40, 60)),
]


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_every_reading_of_a_session_is_in_its_arrays(store: Store, chunks: int) -> None:
    with writing(store) as (writer, news):
        for number, given in enumerate(FRAMES):
            last = writer.append(SESSION, [tick(number), given])
            if number == 35:
                assert news.wait_durable(last)
                first = len(list(store.rows(SESSION)))
    if chunks:
        assert store.compact(SESSION) >= first
    with writing(store) as (writer, _):
        writer.append(SESSION, [frame(61, 45.0, 41.5)])
    if chunks == 2:
        store.compact(SESSION)
    sites, pump = read_samples(store, SESSION)
    assert (sites.channels, pump.channels) == (("sites_0", "sites_1"), ("pump_0",))
    opener = Unsealer(CODEC)
    frames = [item for item in map(opener.open, store.rows(SESSION)) if isinstance(item, Frame)]
    for samples in (sites, pump):
        assert told(samples) == [
            (f.at.mono_ns, f.at.utc_ns, [(r.value, r.validity) for r in f.readings])
            for f in frames
            if f.device == samples.layout.device
        ]


def told(samples: Samples) -> list[object]:
    return [
        (
            mono_ns,
            utc_ns,
            [
                (None if math.isnan(value) else value, VALIDITIES[code])
                for value, code in zip(
                    samples.values[:, n].tolist(), samples.validity[:, n].tolist(), strict=True
                )
            ],
        )
        for n, (mono_ns, utc_ns) in enumerate(
            zip(samples.mono_ns.tolist(), samples.utc_ns.tolist(), strict=True)
        )
    ]


def test_only_the_devices_that_are_asked_for_are_read(store: Store) -> None:
    with writing(store) as (writer, _):
        for given in FRAMES:
            writer.append(SESSION, [given])
    store.compact(SESSION)
    (pump,) = read_samples(store, SESSION, ["pump"])
    assert pump.channels == ("pump_0",)
    assert pump.values.tolist() == [[120.0 + n for n in range(10)]]


def test_a_session_without_measurements_has_no_arrays(store: Store) -> None:
    with writing(store) as (writer, _):
        writer.append(SESSION, [tick(1)])
    assert read_samples(store, SESSION) == []
