"""The alarm sounds as a browser renders them: pulses, spacing, fundamental, harmonics and rise.

The pages' own player fills an offline audio context in a headless Chromium; what comes out is
measured here, knowing nothing of how it was made. The ranges are those of general practice for
IEC 60601-1-8, which a buyer compares with a bought copy.
"""

import base64
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

RATE_HZ = 24_000
WEB = Path(__file__).parents[2] / "web"
AS_TEXT = """
  const samples = (await context.startRendering()).getChannelData(0);
  const bytes = new Uint8Array(Int16Array.from(samples, (one) => one * 32767).buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}"""
RENDER = (
    """async ([priority, category, rate]) => {
  const { loopOf } = await import("/js/audio.js");
  const { burstOf, requestBurst } = await import("/js/sound.js");
  const calls = priority === "request";
  const burst = calls ? requestBurst() : burstOf(priority, category);
  const context = new OfflineAudioContext(1, Math.ceil(2 * burst.periodS * rate), rate);
  loopOf(context, burst, calls ? [1] : undefined).start();
"""
    + AS_TEXT
)
REQUEST_DURING = (
    """async ([priority, fromS, rate]) => {
  const { Sound } = await import("/js/audio.js");
  const { burstOf } = await import("/js/sound.js");
  const { periodS } = burstOf(priority, "general");
  const context = new OfflineAudioContext(1, Math.ceil(2 * periodS * rate), rate);
  const sound = Object.assign(new Sound(() => {}), { context, heard: true });
  sound.sound({ priority, category: "general", occurrence: "1" });
  void context.suspend(fromS).then(() => {
    sound.call(true);
    void context.resume();
  });
"""
    + AS_TEXT
)
FUNDAMENTALS_HZ = {
    "general": [261.6, 261.6, 261.6, 261.6, 261.6],
    "temperature": [261.6, 293.7, 329.6, 349.2, 392.0],
    "perfusion": [261.6, 370.0, 261.6, 261.6, 370.0],
}
Samples = np.ndarray[Any, np.dtype[np.float64]]


class Quiet(SimpleHTTPRequestHandler):
    """The pages' files, without a line on the terminal for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def rendered(chromium_path: str) -> Iterator[Any]:
    """A function that renders two periods of a sound."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(WEB)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/favicon.svg")

        def render(
            priority: str, category: str = "general", request_from_s: float | None = None
        ) -> Samples:
            if request_from_s is None:
                text = page.evaluate(RENDER, [priority, category, RATE_HZ])
            else:
                text = page.evaluate(REQUEST_DURING, [priority, request_from_s, RATE_HZ])
            raw: Samples = np.frombuffer(base64.b64decode(text), dtype="<i2") / 32767.0
            return raw

        yield render
        browser.close()
    server.shutdown()
    server.server_close()


def pulses(wave: Samples) -> list[tuple[float, float]]:
    """Beginning and end (s) of each pulse: where the envelope stands above a tenth of its peak."""
    window = round(0.004 * RATE_HZ)
    padded = np.abs(np.pad(wave, (window // 2, window - window // 2 - 1)))
    envelope = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
    loud = envelope > 0.1 * envelope.max()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(int)))
    return [(a / RATE_HZ, b / RATE_HZ) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def spectrum(wave: Samples, pulse: tuple[float, float]) -> tuple[float, list[float]]:
    """The fundamental (Hz), and the levels (dB) of its multiples up to 4 kHz."""
    part = wave[round(pulse[0] * RATE_HZ) : round(pulse[1] * RATE_HZ)]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8 * RATE_HZ))
    hz = np.fft.rfftfreq(8 * RATE_HZ, 1 / RATE_HZ)
    lowest = next(f for f in hz[np.argsort(power)[::-1][:1]])
    found = [20 * np.log10(power[round(8 * lowest * n)]) for n in range(1, int(4000 / lowest) + 1)]
    return float(lowest), [float(level) for level in found]


def rise_s(wave: Samples, pulse: tuple[float, float]) -> float:
    """From a tenth to nine tenths of the pulse's peak (s), by the envelope of its periods."""
    part = np.abs(wave[round(pulse[0] * RATE_HZ) : round(pulse[1] * RATE_HZ)])
    step = round(0.004 * RATE_HZ)
    peaks = [part[at : at + step].max() for at in range(0, len(part) - step, step // 8)]
    high = next(at for at, peak in enumerate(peaks) if peak >= 0.9 * part.max())
    return high * (step // 8) / RATE_HZ


def lengths(found: list[tuple[float, float]]) -> list[float]:
    return [end - begin for begin, end in found]


def gaps(found: list[tuple[float, float]]) -> list[float]:
    return [after[0] - before[1] for before, after in pairwise(found)]


@pytest.mark.requirement("RC-176")
@pytest.mark.parametrize("category", FUNDAMENTALS_HZ)
def test_a_high_burst_is_three_and_two_pulses_twice(rendered: Any, category: str) -> None:
    wave = rendered("high", category)
    found = pulses(wave)
    assert len(found) == 20, "two bursts of ten"
    own = gaps(found)
    length_s = float(np.mean(lengths(found)))
    assert all(0.075 <= one <= 0.200 for one in lengths(found))
    within = [own[at] for at in (0, 1, 3, 5, 6, 8)]
    spacing_s = float(np.mean(within))
    assert all(0.050 <= one <= 0.130 for one in within)
    assert max(within) - min(within) <= 0.05 * spacing_s + 0.004
    assert own[2] == pytest.approx(2 * spacing_s + length_s, rel=0.06)
    assert own[7] == pytest.approx(2 * spacing_s + length_s, rel=0.06)
    assert 0.35 <= own[4] <= 1.30
    assert 2.5 <= own[9] <= 15.0
    for number, pulse in enumerate(found[:10]):
        fundamental_hz, _ = spectrum(wave, pulse)
        assert fundamental_hz == pytest.approx(FUNDAMENTALS_HZ[category][number % 5], rel=0.01)


@pytest.mark.requirement("RC-176")
def test_a_medium_burst_is_three_pulses_and_slower_than_a_high_one(rendered: Any) -> None:
    found, high = pulses(rendered("medium")), pulses(rendered("high"))
    assert len(found) == 6, "two bursts of three"
    assert all(0.125 <= one <= 0.250 for one in lengths(found))
    own = gaps(found)
    assert all(0.125 <= one <= 0.250 for one in (own[0], own[1], own[3], own[4]))
    assert 2.5 <= own[2] <= 30.0
    assert found[1][0] - found[0][0] >= high[1][0] - high[0][0]


@pytest.mark.requirement("RC-176")
def test_a_low_burst_is_two_pulses_and_comes_again_seldom(rendered: Any) -> None:
    found = pulses(rendered("low"))
    assert len(found) == 4, "two bursts of two"
    assert all(0.125 <= one <= 0.250 for one in lengths(found))
    assert gaps(found)[1] > 15.0


@pytest.mark.requirement("RC-176")
@pytest.mark.parametrize("priority", ["high", "medium", "low"])
def test_each_pulse_has_four_strong_components_and_rises_softly(
    rendered: Any, priority: str
) -> None:
    wave = rendered(priority, "temperature")
    found = pulses(wave)
    levels = []
    for pulse in found[: len(found) // 2]:
        fundamental_hz, harmonics = spectrum(wave, pulse)
        assert 150 <= fundamental_hz <= 1000
        strongest = sorted(harmonics, reverse=True)
        assert strongest[0] - strongest[3] <= 15.0
        share = rise_s(wave, pulse) / (pulse[1] - pulse[0])
        assert 0.08 <= share <= 0.22
        levels.append(strongest[0])
    assert max(levels) - min(levels) <= 10.0


def test_a_request_is_two_pure_tones_that_no_alarm_has(rendered: Any) -> None:
    wave = rendered("request")
    found = pulses(wave)
    assert len(found) == 4, "twice two"
    for pulse in found:
        fundamental_hz, harmonics = spectrum(wave, pulse)
        assert fundamental_hz > 400
        assert harmonics[0] - max(harmonics[1:]) > 30.0


@pytest.mark.requirement("RC-191")
@pytest.mark.parametrize(("priority", "bursts", "tones"), [("high", 20, 4), ("medium", 6, 4)])
def test_a_request_during_an_alarm_calls_in_the_pauses_and_leaves_the_bursts_alone(
    rendered: Any, priority: str, bursts: int, tones: int
) -> None:
    alone, both = rendered(priority), rendered(priority, request_from_s=0.25)
    alarm, found = pulses(alone), pulses(both)
    asked = [one for one in found if all(abs(one[0] - other[0]) > 0.01 for other in alarm)]
    assert (len(alarm), len(asked)) == (bursts, tones)
    for begin, end in alarm:
        part = slice(round(begin * RATE_HZ), round(end * RATE_HZ))
        assert np.array_equal(alone[part], both[part]), "the alarm sounds as without the request"
    for begin, end in asked:
        assert all(begin - last >= 1.0 or first - end >= 1.0 for first, last in alarm)
        _, harmonics = spectrum(both, (begin, end))
        assert harmonics[0] - max(harmonics[1:]) > 30.0, "no alarm has its pure tone"


@pytest.mark.requirement("RC-191")
def test_during_a_low_alarm_a_request_calls_as_often_as_alone(rendered: Any) -> None:
    alarm, found = pulses(rendered("low")), pulses(rendered("low", request_from_s=0.25))
    first_pause = [one for one in found if alarm[1][1] < one[0] < alarm[2][0]]
    assert len(first_pause) == 8, "two tones every five seconds"
