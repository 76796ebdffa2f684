"""An observer of the heat balance: from readings every ten seconds to one patient's figures.

An extended Kalman filter on the mean of the sites, the tissue under them and three figures of the
patient: what the tissue takes, what blood carries on, how much fluid there is. Beside it each
site's share (how far it lies from the mean towards the inflow), the outflow's and the core's drift.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.core.balance import PERFUSATE_J_ML_K, ROOM_C, Balance, Warmth, core_rise_c_s
from service.core.changing import replace

STEP_S = 10.0
"""Treatment seconds between two looks: five looks within the fluid's fastest answer (a minute)."""

START_SPREAD = (0.05, 1.2, 30.0, 5.0, 500.0)
DRIFT = (0.01, 0.02, 0.6, 0.2, 8.0)
MEAN_NOISE_C = 0.02
"""Standard deviations, at the start and per step, of mean, tissue (°C), tissue and blood (W/K) and
volume (ml), and of the mean's reading: from the published ranges, tuned on virtual patients."""

LEAST: tuple[float, float, float] = (40.0, 12.0, 800.0)
MOST: tuple[float, float, float] = (260.0, 70.0, 7000.0)
SHARE_FORGETS_S = 150.0
CORE_FOLLOWS = 0.25
CORE_DRIFTS = 0.012
CORE_JUMP_C = 0.3
"""A core that differs by more from what was expected was read elsewhere: no drift is learned."""

ALONE_C = 0.5
TRUSTED_AFTER_S = 180.0
LONGEST_GAP_S = 60.0
JUMP_SIGMAS = 4.0

Figures = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look takes in: temperatures in °C, None or absent where nothing valid is read."""

    sites_c: Mapping[str, float]
    inflow_c: float
    outflow_c: float | None
    core_c: float | None
    flow_ml_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the observer believes. `spread` is the filter's covariance, row by row; `shares` say how
    far each site lies from the mean towards (above 0) or away from the inflow; `doubted` is a site
    that neither its past nor the balance explains: it lowers heat and never raises it."""

    since_s: float
    at_s: float
    now: Warmth
    balance: Balance
    spread: Figures
    shares: Mapping[str, float] = field(default_factory=dict)
    weight: float = 0.0
    doubted: tuple[str, ...] = ()
    core_known: bool = False


SHARE_PRIOR = 4.0
"""Weight (°C²) of "as warm as the mean" against what was seen of a site."""


def begun(at_s: float, sight: Sight, typical: Balance) -> Estimate:
    """The first look: the tissue is thought to lie a little above the core."""
    mean_c = sum(sight.sites_c.values()) / len(sight.sites_c)
    core_c = 36.5 if sight.core_c is None else sight.core_c
    tissue_c = core_c + 0.25 * (mean_c - core_c)
    size = len(START_SPREAD)
    spread = [0.0] * size * size
    for index, deviation in enumerate(START_SPREAD):
        spread[index * size + index] = deviation * deviation
    return Estimate(
        since_s=at_s,
        at_s=at_s,
        now=Warmth(0.0, mean_c, tissue_c, core_c, sight.inflow_c),
        balance=typical,
        spread=tuple(spread),
        shares=dict.fromkeys(sorted(sight.sites_c), 0.0),
        core_known=sight.core_c is not None,
    )


def looked(before: Estimate, at_s: float, sight: Sight) -> Estimate:
    """The estimate after one more look, `at_s` treatment seconds."""
    dt_s = at_s - before.at_s
    doubted = _doubted(before, sight)
    mean_c = _mean_c(before, sight, doubted)
    estimate = _foreseen(before, sight, dt_s)
    if mean_c is not None:
        settled = at_s - before.since_s > TRUSTED_AFTER_S
        estimate = _corrected(estimate, mean_c, settled=settled)
    estimate = _with_core(estimate, sight.core_c, dt_s)
    estimate = _with_shares(estimate, sight, doubted, dt_s)
    return replace(estimate, at_s=at_s, doubted=doubted)


def _doubted(before: Estimate, sight: Sight) -> tuple[str, ...]:
    """A site far colder than its own past and the balance say, if it is the only one."""
    if before.at_s - before.since_s < TRUSTED_AFTER_S:
        return ()
    now, shares = before.now, before.shares
    cold = [
        site
        for site, value in sight.sites_c.items()
        if value < now.mean_c + shares.get(site, 0.0) * (sight.inflow_c - now.mean_c) - ALONE_C
    ]
    return tuple(cold) if len(cold) == 1 and len(sight.sites_c) > 1 else ()


def _mean_c(before: Estimate, sight: Sight, doubted: tuple[str, ...]) -> float | None:
    """The mean of all known sites: one that is missing or doubted is where its share puts it."""
    seen = {site: value for site, value in sight.sites_c.items() if site not in doubted}
    if not seen:
        return None
    shares = before.shares
    share = sum(shares.get(site, 0.0) for site in seen) / len(seen)
    every = sum(shares.values()) / len(shares) if shares else 0.0
    mean = sum(seen.values()) / len(seen)
    return mean - (share - every) * (sight.inflow_c - before.now.mean_c)


def _foreseen(before: Estimate, sight: Sight, dt_s: float) -> Estimate:
    """Mean and tissue moved on by the balance, and how uncertain that leaves everything."""
    b, now, size = before.balance, before.now, len(START_SPREAD)
    through = sight.flow_ml_min / 60.0 * PERFUSATE_J_ML_K
    out_c = sight.outflow_c
    if out_c is None:
        out_c = now.mean_c + b.out_share * (sight.inflow_c - now.mean_c)
    heat_w = through * (sight.inflow_c - out_c)
    fluid_rate = dt_s / (b.fluid_ml * PERFUSATE_J_ML_K)
    tissue_rate = dt_s / b.tissue_j_k
    apart, to_core = now.mean_c - now.tissue_c, now.tissue_c - now.core_c
    net_w = heat_w - b.tissue_w_k * apart - b.field_w_k * (now.mean_c - ROOM_C)
    # The steps are long against the fluid's own answer, hence the implicit denominator.
    damped = 1.0 / (1.0 + fluid_rate * (b.tissue_w_k + b.field_w_k + through))
    mean_c = now.mean_c + damped * fluid_rate * net_w
    tissue_c = now.tissue_c + tissue_rate * (b.tissue_w_k * apart - b.blood_w_k * to_core)
    answered = damped * fluid_rate
    by_mean = (
        1.0 - answered * (b.tissue_w_k + b.field_w_k),
        answered * b.tissue_w_k,
        -answered * apart,
        0.0,
        -damped * fluid_rate * net_w / b.fluid_ml,
    )
    by_tissue = (
        tissue_rate * b.tissue_w_k,
        1.0 - tissue_rate * (b.tissue_w_k + b.blood_w_k),
        tissue_rate * apart,
        -tissue_rate * to_core,
        0.0,
    )
    spread = _spread_on(before.spread, by_mean, by_tissue, size)
    moved = now._replace(mean_c=mean_c, tissue_c=tissue_c, inflow_c=sight.inflow_c)
    return replace(before, now=moved, spread=spread)


def _spread_on(p: Figures, by_mean: Figures, by_tissue: Figures, size: int) -> Figures:
    """F P F' + Q, where only the first two rows of F differ from the unit matrix."""
    span = range(size)
    first = [sum(by_mean[k] * p[k * size + j] for k in span) for j in span]
    second = [sum(by_tissue[k] * p[k * size + j] for k in span) for j in span]
    moved = [*first, *second, *p[2 * size :]]
    for row in span:
        own = moved[row * size : row * size + size]
        moved[row * size] = sum(map(float.__mul__, own, by_mean))
        moved[row * size + 1] = sum(map(float.__mul__, own, by_tissue))
    for index, drift in enumerate(DRIFT):
        moved[index * size + index] += drift * drift
    return tuple(moved)


def _corrected(estimate: Estimate, mean_c: float, *, settled: bool) -> Estimate:
    """Everything moved by what the reading of the mean says of it.

    A jump that no figure of the patient explains (cold drug, stirring) moves the mean alone.
    """
    p, size = estimate.spread, len(START_SPREAD)
    off_c = mean_c - estimate.now.mean_c
    expected = p[0] + MEAN_NOISE_C * MEAN_NOISE_C
    if settled and off_c * off_c > JUMP_SIGMAS * JUMP_SIGMAS * expected:
        return replace(estimate, now=estimate.now._replace(mean_c=mean_c))
    gains = [p[row * size] / expected for row in range(size)]
    spread = tuple(
        p[row * size + column] - gains[row] * p[column]
        for row in range(size)
        for column in range(size)
    )
    b, now = estimate.balance, estimate.now
    figures = (b.tissue_w_k, b.blood_w_k, b.fluid_ml)
    tissue_w_k, blood_w_k, fluid_ml = (
        min(max(figure + gain * off_c, least), most)
        for figure, gain, least, most in zip(figures, gains[2:], LEAST, MOST, strict=True)
    )
    return replace(
        estimate,
        now=now._replace(
            mean_c=now.mean_c + gains[0] * off_c, tissue_c=now.tissue_c + gains[1] * off_c
        ),
        balance=replace(b, tissue_w_k=tissue_w_k, blood_w_k=blood_w_k, fluid_ml=fluid_ml),
        spread=spread,
    )


def _with_core(estimate: Estimate, core_c: float | None, dt_s: float) -> Estimate:
    """The core follows its reading; what tissue and blood do not explain becomes its drift."""
    b, now = estimate.balance, estimate.now
    if not estimate.core_known and core_c is not None:
        return replace(estimate, now=now._replace(core_c=core_c), core_known=True)
    expected_c = now.core_c + dt_s * core_rise_c_s(b, now)
    if core_c is None:
        return replace(estimate, now=now._replace(core_c=expected_c))
    off_c = core_c - expected_c
    if abs(off_c) > CORE_JUMP_C:
        return replace(estimate, now=now._replace(core_c=core_c))
    drift = b.core_gain_c_s + CORE_DRIFTS * off_c / dt_s
    return replace(
        estimate,
        now=now._replace(core_c=expected_c + CORE_FOLLOWS * off_c),
        balance=replace(b, core_gain_c_s=drift),
    )


def _with_shares(
    estimate: Estimate, sight: Sight, doubted: tuple[str, ...], dt_s: float
) -> Estimate:
    """Recursive least squares of each site's distance from the mean on the inflow's."""
    above_c = sight.inflow_c - estimate.now.mean_c
    weight = max(0.0, 1.0 - dt_s / SHARE_FORGETS_S) * estimate.weight + above_c * above_c
    gain = above_c / (weight + SHARE_PRIOR)
    shares = dict(estimate.shares)
    for site, value in sight.sites_c.items():
        before = shares.get(site, 0.0)
        if site not in doubted:
            shares[site] = before + gain * (value - estimate.now.mean_c - before * above_c)
    out_share = estimate.balance.out_share
    if sight.outflow_c is not None:
        off_c = sight.outflow_c - estimate.now.mean_c - out_share * above_c
        out_share = min(0.5, max(-0.5, out_share + gain * off_c))
    balance = replace(estimate.balance, out_share=out_share)
    if len(shares) > len(estimate.shares):
        # In the order in which the record gives them back: sums depend on it in their last digit.
        shares = dict(sorted(shares.items()))
    return replace(estimate, shares=shares, weight=weight, balance=balance)
