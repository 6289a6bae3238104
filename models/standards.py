"""Chances of the five standards in each area of a report card: the forecast of grades as prior, updated by
cards.

A card gives each area one of five standards, 1 the best. What inspectors see of a school in an area lies on a
line that four cuts divide (an ordered probit; McKelvey and Zavoina 1975). Where a school is expected to lie
is what the forecast of grades says, and what cards have taught since. Every lesson is a number with a
declared prior, normal around “no difference”: without a card the answer is the forecast of grades itself, and
each card moves it as far as its evidence goes.

    place(area, side) = prior + (slope - 1) (prior - its mean) + circumstances of the cards learned from
                        + signals (shared by areas + the area's own + the side's own)
    standard worse than k, where  place(area, side of k) + common part + own part  >  cut(area, k)

`side` 0 are the cuts below exceptional and strong, 1 those below expected and needs attention. The common
part is one for a whole school (one factor; Gibbons and Hedeker 1992): so areas go together, and the areas of
one card never count as so many schools. Its variance and the own part's add up to one, hence a chance is
Phi(cut - place), whatever the areas share. All numbers are at the maximum of their posterior (L-BFGS; Byrd
and others 1995).

`prior` is rows x areas x 2, probits: of the chance of being worse than strong, and of being below expected.
Signals bring the mean and the spread they had in a larger table, so that few cards aren't asked for them.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headway.models.conformal import mass_before

STANDARDS = 5
BELOW = 4  # needs attention: from here on an area is below the expected standard
SIDE = np.array([0, 0, 1, 1])  # of each cut
REACH = 3.0  # standard deviations: beyond, a signal counts no further
NEVER = 1e-12
# of standards could be any of the five: no single card that nobody would expect outweighs the others
SLIP = 0.001
FAR = 40.0  # beyond any place

# Standard deviations of what cards may teach, in probits (a school's own place has one): declared, never
# fitted to cards. The level of old inspections differed by 0.21 to 0.25 between rule-books and between years,
# so the level of all areas gets
# 0.3: from 12% to between 7% and 19%. 0.06 makes a dozen signals together worth a fifth of a probit; what
# areas and sides have of their own is half of what they share.
SPREADS = {
    "level": 0.3,
    "area_level": 0.3,
    "outer": 0.3,
    "area_outer": 0.1,
    "slope": 0.15,
    "area_slope": 0.1,
    "shared": 0.06,
    "own": 0.03,
    "sided": 0.03,
    "together": 0.3,
    "area_together": 0.2,
}
DIRECT = 3.0  # a signal that measures an area itself may differ there by so many times `own`
# of a circumstance's spread: how far areas may differ in it (of months, in old inspections, a quarter)
AREA_SHARE = 0.3
# the common part's share of an area's line before any card: a correlation of 0.64 between areas
TOGETHER = 0.8
# probits from strong to exceptional, and from needs attention to urgent improvement, before any card
OUTER = (1.3, 1.0)
POINTS, ROUGH = 21, 7  # where the mean over the common part is taken: to a thousandth, and for slopes only
PROMISED = 0.9
LEAN = 50.0  # cards' worth: how far the sets of an area lean on all areas', and those on the model's own word


def normal(values: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return ndtr(values)


def density(values: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * values**2) / np.sqrt(2 * np.pi)


def probit(chance: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(np.clip(chance, 1e-9, 1 - 1e-9))


def nodes(many: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of the mean over a standard normal (Gauss and Hermite)."""
    points, weights = np.polynomial.hermite_e.hermegauss(many)
    return points, weights / weights.sum()


@dataclass
class Standards:
    """The model of all areas together.

    `levels` are the declared cuts (areas x 2: below strong, below expected). `direct` names the signals that
    measure an area itself. `circumstances` are what cards were inspected in (volunteers; a month) with the
    spread of each: a future card is in none of them.
    """

    areas: list[str] = field(default_factory=list)
    levels: list[list[float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    direct: dict[str, list[str]] = field(default_factory=dict)
    circumstances: dict[str, float] = field(default_factory=dict)
    spreads: dict[str, float] = field(default_factory=lambda: dict(SPREADS))
    together: float = TOGETHER
    centre: list[list[float]] = field(default_factory=list)  # the prior's mean among the cards: areas x 2
    learned: dict[str, Any] = field(default_factory=dict)
    # how much of each kind of number is the cards', 0 to 1
    weights: dict[str, float] = field(default_factory=dict)
    cards: int = 0

    # --- learning -------------------------------------------------------------------------------------------

    def fit(
        self,
        prior: np.ndarray,
        signals: np.ndarray,
        standards: np.ndarray,
        circumstances: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        trial: "Standards | None" = None,
    ) -> "Standards":
        """Learn from cards: `standards` is rows x areas, 1 to 5 with blanks. Without a row the declared prior
        stands.

        A fit for a trial starts from where another ended, and what it weighs isn't worked out.
        """
        shapes = self._shapes()
        sizes = np.concatenate([np.broadcast_to(spread, shape).ravel() for shape, spread in shapes.values()])
        self.cards = len(prior)
        self.centre = (
            np.zeros((len(self.areas), 2)).tolist() if not self.cards else prior.mean(axis=0).tolist()
        )
        best = np.zeros(len(sizes))
        if trial is not None and trial.cards:
            best = np.concatenate([np.ravel(trial.learned[name]) for name in shapes]) / sizes
        self.weights = dict.fromkeys(shapes, 0.0)
        if self.cards:
            from scipy.optimize import minimize

            given = ~np.isnan(standards)
            about = (
                np.zeros((self.cards, len(self.circumstances))) if circumstances is None else circumstances
            )
            counts = np.ones(self.cards) if weight is None else np.asarray(weight, dtype=float)
            cards = _Cards(
                prior,
                prior - np.asarray(self.centre),
                self.scaled(signals),
                np.asarray(about, dtype=float),
                np.where(given, standards, 1).astype(int),
                given,
                counts,
                *nodes(POINTS),
            )

            # in units of the prior's spreads, to be well-conditioned
            def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
                value, pulls = _fit_of(self, self._numbers(free * sizes), cards)
                parts = _by_number(self, self._numbers(free * sizes), cards, pulls)
                return value + 0.5 * free @ free, np.concatenate(
                    [parts[name].ravel() for name in shapes]
                ) * sizes + free

            best = minimize(
                loss, best, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-4}
            ).x
            if trial is None:
                self.weights = self._weights(self._numbers(best * sizes), cards, sizes)
        self.learned = {name: part.tolist() for name, part in self._numbers(best * sizes).items()}
        return self

    def _weights(self, own: dict[str, np.ndarray], cards: "_Cards", sizes: np.ndarray) -> dict[str, float]:
        """How much of each kind of number is the cards' word: one less the variance left, as a share of the
        prior's.

        From the cards' own scores (Berndt and others 1974).
        """
        _, pulls = _fit_of(self, own, cards)
        parts = _by_number(self, own, cards, pulls, each=True)
        scores = (
            np.concatenate([parts[name].reshape(self.cards, -1) for name in self._shapes()], axis=1) * sizes
        )
        left = self._numbers(np.diag(np.linalg.inv(np.eye(len(sizes)) + scores.T @ scores)))
        return {name: float(1 - part.mean()) if part.size else 0.0 for name, part in left.items()}

    def _shapes(self) -> dict[str, tuple[tuple[int, ...], Any]]:
        """Every number to be learned: its shape, and the spread of its prior; all are nought before any
        card.
        """
        areas, many, about = len(self.areas), len(self.names), len(self.circumstances)
        direct = np.array(
            [
                [DIRECT if name in self.direct.get(area, ()) else 1.0 for name in self.names]
                for area in self.areas
            ]
        )
        turned = np.array(list(self.circumstances.values()), dtype=float)
        return {
            "level": ((2,), self.spreads["level"]),
            "area_level": ((areas, 2), self.spreads["area_level"]),
            "outer": ((2,), self.spreads["outer"]),
            "area_outer": ((areas, 2), self.spreads["area_outer"]),
            "slope": ((2,), self.spreads["slope"]),
            "area_slope": ((areas, 2), self.spreads["area_slope"]),
            "shared": ((many,), self.spreads["shared"]),
            "sided": ((many,), self.spreads["sided"]),
            "own": ((areas, many), self.spreads["own"] * direct.reshape(areas, many)),
            "circumstance": ((about, 2), turned[:, None]),
            "area_circumstance": ((about, areas, 2), AREA_SHARE * turned[:, None, None]),
            "together": ((1,), self.spreads["together"]),
            "area_together": ((areas,), self.spreads["area_together"]),
        }

    def _numbers(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        numbers, start = {}, 0
        for name, (shape, _) in self._shapes().items():
            size = int(np.prod(shape))
            numbers[name] = flat[start : start + size].reshape(shape)
            start += size
        return numbers

    @property
    def _own(self) -> dict[str, np.ndarray]:
        return {
            name: np.asarray(self.learned[name], dtype=float).reshape(shape)
            for name, (shape, _) in self._shapes().items()
        }

    # --- what was learned, put together ---------------------------------------------------------------------

    def scaled(self, signals: np.ndarray) -> np.ndarray:
        """Standardised signals, blanks at the mean."""
        values = np.asarray(signals, dtype=float) - np.asarray(self.mean)
        values /= np.where(np.asarray(self.spread) > 0, self.spread, 1.0)
        np.clip(values, -REACH, REACH, out=values)
        np.copyto(values, 0.0, where=np.isnan(values))
        return values

    def cuts(self, own: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """The four cuts of each area, areas x 4."""
        own = own or self._own
        inner = np.asarray(self.levels) + own["level"] + own["area_level"]
        gaps = _gaps(own)
        return np.column_stack([inner[:, 0] - gaps[:, 0], inner[:, 0], inner[:, 1], inner[:, 1] + gaps[:, 1]])

    def loadings(self, own: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """The common part's share of each area's line: areas a and b correlate by the product of theirs."""
        own = own or self._own
        return 1 / (
            1
            + np.exp(-(np.log(self.together / (1 - self.together)) + own["together"] + own["area_together"]))
        )

    def slopes(self, own: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """Each signal's slope by area and side: areas x 2 x signals."""
        own = own or self._own
        return (own["shared"] + own["own"])[:, None, :] + np.array([-0.5, 0.5])[None, :, None] * own["sided"]

    def places(
        self, prior: np.ndarray, signals: np.ndarray, circumstances: np.ndarray | None = None
    ) -> np.ndarray:
        """Where each school is expected to lie, rows x areas x 2; by default in no special circumstance."""
        own = self._own
        slope = 1 + own["slope"] + own["area_slope"]
        places = prior * slope + (1 - slope) * np.asarray(self.centre)
        # Not a product of matrices, whose last bit depends on how many rows there are.
        for column, slopes in zip(self.scaled(signals).T, np.moveaxis(self.slopes(own), 2, 0), strict=True):
            places += column[:, None, None] * slopes
        if circumstances is not None:
            places += np.tensordot(
                circumstances, own["circumstance"][:, None, :] + own["area_circumstance"], 1
            )
        return places

    # --- answers --------------------------------------------------------------------------------------------

    def predict(
        self, prior: np.ndarray, signals: np.ndarray, circumstances: np.ndarray | None = None
    ) -> np.ndarray:
        """The chance of each standard, rows x areas x 5."""
        return self.at(self.places(prior, signals, circumstances))

    def at(self, places: np.ndarray) -> np.ndarray:
        """The chance of each standard of schools that lie there, rows x areas x 5."""
        cuts = self.cuts()
        chances = np.empty((*places.shape[:2], STANDARDS))
        before = np.zeros(places.shape[:2])
        for cut, side in enumerate(SIDE):
            reached = np.maximum(normal(cuts[:, cut] - places[:, :, side]), before)
            chances[:, :, cut] = reached - before
            before = reached
        chances[:, :, -1] = 1 - before
        return chances

    def any_below(
        self, chances: np.ndarray, asked: np.ndarray | None = None, points: int = POINTS
    ) -> np.ndarray:
        """The chance that any of the areas asked about (rows x areas) is below the expected standard, from
        `predict`'s.

        Given the common part areas are independent; the mean over it is taken at so many points. Never less
        than the worst area's chance, nor more than the sum of all.
        """
        below = chances[:, :, BELOW - 1] + chances[:, :, BELOW]
        below = below if asked is None else below * asked
        none, _ = self._none_below(-probit(below), asked, points)
        return np.clip(1 - none, below.max(axis=1), np.minimum(below.sum(axis=1), 1.0))

    def _none_below(
        self, room: np.ndarray, asked: np.ndarray | None, points: int, slopes: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """The chance that no area is below expected, where each has so much room to its cut; and its slopes
        by room.

        An area that isn't asked about has all the room there is.
        """
        loading = self.loadings()[:, None]
        within = np.sqrt(1 - loading**2)
        room = np.ascontiguousarray(room.T if asked is None else np.where(asked, room, FAR).T) / within
        none, steep = np.zeros(room.shape[1]), np.zeros(room.shape if slopes else (0, 0))
        for point, share in zip(*nodes(points), strict=True):
            reach = room - loading / within * point
            good = normal(reach)
            whole = share * np.multiply.reduce(good, axis=0)
            none += whole
            if slopes:
                steep += whole * density(reach) / np.maximum(good, NEVER)
        return none, (steep / within if slopes else steep).T

    # --- reasons --------------------------------------------------------------------------------------------

    def contributions(
        self,
        rate: np.ndarray,
        parts: np.ndarray,
        signals: np.ndarray,
        belongs: np.ndarray,
        asked: np.ndarray | None = None,
        area: int | None = None,
        more: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The chance of being below expected by the rate alone, and what each family adds to it, in
        probability.

        `rate` (rows x areas) is the prior of schools like each, `parts` (rows x areas x families) what each
        family adds to it on the way to the prior, `more` what else moves its places; `belongs` gives each
        signal's family by number. For one `area`, or for any of those asked about. A row's parts add up to
        its chance less that of its rate: by the slope half-way from one to the other, and the little that
        misses shared in proportion.
        """
        own = self._own
        slope = 1 + own["slope"][1] + own["area_slope"][:, 1]
        base = rate * slope + (1 - slope) * np.asarray(self.centre)[:, 1]
        slopes, some = self.slopes(own)[:, 1], slice(None) if area is None else slice(area, area + 1)
        added = parts[:, some] * slope[some, None]
        for name, (column, family) in enumerate(zip(self.scaled(signals).T, belongs, strict=True)):
            added[:, :, family] += column[:, None] * slopes[some, name]
        if more is not None:
            added += more[:, some]
        start = (self.cuts(own)[:, 2] - base)[:, some]
        way = -added.sum(axis=2)
        if area is not None:
            ends = [normal(-room[:, 0]) for room in (start, start + way)]
            steep = density(start + 0.5 * way)
        else:
            ends = [1 - self._none_below(room, asked, POINTS)[0] for room in (start, start + way)]
            steep = self._none_below(start + 0.5 * way, asked, ROUGH, slopes=True)[1]
        shares = np.einsum("raf,ra->rf", added, steep)
        size = np.abs(shares)
        missed = (ends[1] - ends[0] - shares.sum(axis=1)) / np.maximum(size.sum(axis=1), NEVER)
        return ends[0], shares + missed[:, None] * size

    # --- plain files ----------------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """The model in JSON's own types."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Standards":
        """The model that `as_dict` told of; answers are the same to the last bit."""
        return cls(**plain)


def _gaps(own: dict[str, np.ndarray]) -> np.ndarray:
    """From the inner cuts to the outer ones, areas x 2; never less than nothing."""
    return np.asarray(OUTER) * np.exp(own["outer"] + own["area_outer"])


# --- the likelihood of cards and its slopes -----------------------------------------------------------------


@dataclass
class _Cards:
    prior: np.ndarray  # rows x areas x 2
    off: np.ndarray  # the prior less its mean
    scaled: np.ndarray  # rows x signals
    about: np.ndarray  # rows x circumstances
    reached: np.ndarray  # rows x areas, 1 to 5
    given: np.ndarray  # rows x areas
    weight: np.ndarray
    common: np.ndarray  # points of the common part, and their shares
    mass: np.ndarray


def _fit_of(
    model: Standards, own: dict[str, np.ndarray], cards: _Cards
) -> tuple[float, tuple[np.ndarray, ...]]:
    """Minus the log-likelihood of the cards, the common part summed out; its slopes by cut, by place and by
    loading.
    """
    rows, areas = cards.reached.shape
    steps = (cards.scaled @ model.slopes(own).reshape(2 * areas, len(model.names)).T).reshape(rows, areas, 2)
    moved = np.tensordot(cards.about, own["circumstance"][:, None, :] + own["area_circumstance"], 1)
    place = cards.prior + (own["slope"] + own["area_slope"]) * cards.off + steps + moved
    edge = np.full((rows, areas, STANDARDS + 1), -FAR)
    edge[:, :, 1:-1], edge[:, :, -1] = model.cuts(own)[None] - place[:, :, SIDE], FAR
    loading = model.loadings(own)
    within = np.sqrt(1 - loading**2)
    upper, lower = cards.reached[:, :, None], cards.reached[:, :, None] - 1
    pull = loading[:, None] * cards.common
    high, low = ((np.take_along_axis(edge, at, axis=2) - pull) / within[:, None] for at in (upper, lower))
    between = normal(high) - normal(low)
    chance = np.where(cards.given[:, :, None], (1 - SLIP) * np.maximum(between, 0.0) + SLIP / STANDARDS, 1.0)
    joint = np.log(chance).sum(axis=1) + np.log(cards.mass)
    top = joint.max(axis=1, keepdims=True)
    total = top[:, 0] + np.log(np.exp(joint - top).sum(axis=1))
    share = -np.exp(joint - total[:, None]) * cards.weight[:, None]
    flow = np.where(cards.given[:, :, None] & (between > 0), (1 - SLIP) * share[:, None, :] / chance, 0.0)
    into, out = flow * density(high), flow * density(low)
    by_edge = np.zeros_like(edge)
    np.put_along_axis(by_edge, upper, into.sum(axis=2, keepdims=True) / within[:, None], axis=2)
    np.put_along_axis(by_edge, lower, -out.sum(axis=2, keepdims=True) / within[:, None], axis=2)
    by_cut = by_edge[:, :, 1:-1]
    by_place = -np.stack([by_cut[:, :, :2].sum(axis=2), by_cut[:, :, 2:].sum(axis=2)], axis=2)
    bend, lean = (loading / within**2)[:, None], cards.common / within[:, None]
    by_loading = (into * (high * bend - lean) - out * (low * bend - lean)).sum(axis=2)
    return -(cards.weight * total).sum(), (by_cut, by_place, by_loading)


def _by_number(
    model: Standards,
    own: dict[str, np.ndarray],
    cards: _Cards,
    pulls: tuple[np.ndarray, ...],
    each: bool = False,
) -> dict[str, np.ndarray]:
    """The slope of `_fit_of` by each number: of all cards together, or of `each`."""
    by_cut, by_place, by_loading = pulls
    rows = "i" if each else ""

    def total(part: np.ndarray) -> np.ndarray:
        return part if each else part.sum(axis=0)

    gaps, loading = _gaps(own), model.loadings(own)
    levels = total(np.stack([by_cut[:, :, :2].sum(axis=2), by_cut[:, :, 2:].sum(axis=2)], axis=2))
    outer = total(np.stack([-by_cut[:, :, 0], by_cut[:, :, 3]], axis=2)) * gaps
    slope = total(by_place * cards.off)
    signals = np.einsum(f"ias,ij->{rows}saj", by_place, cards.scaled, optimize=True)  # side x area x signal
    turned = np.einsum(f"ic,ias->{rows}cas", cards.about, by_place, optimize=True)
    together = total(by_loading) * loading * (1 - loading)
    better, worse = signals[..., 0, :, :], signals[..., 1, :, :]
    return {
        "level": levels.sum(axis=-2),
        "area_level": levels,
        "outer": outer.sum(axis=-2),
        "area_outer": outer,
        "slope": slope.sum(axis=-2),
        "area_slope": slope,
        "shared": (better + worse).sum(axis=-2),
        "sided": 0.5 * (worse - better).sum(axis=-2),
        "own": better + worse,
        "circumstance": turned.sum(axis=-2),
        "area_circumstance": turned,
        "together": together.sum(axis=-1, keepdims=True),
        "area_together": together,
    }


# --- sets of standards --------------------------------------------------------------------------------------


@dataclass
class StandardSets:
    """How far each area's sets have to grow to hold its standard as often as promised (conformal; Vovk and
    others 2005).

    Calibrated on cards that the chances given had not learned from, asked as a future card is: without
    knowing in what circumstances it comes. An area leans on all areas, and all on the model's own word, each
    by `LEAN` cards' worth.
    """

    promised: float = PROMISED
    limits: list[float] = field(default_factory=list)

    def fit(self, chances: np.ndarray, standards: np.ndarray) -> "StandardSets":
        """`chances` is rows x areas x 5, out of sample; `standards` rows x areas, with blanks.

        Rows that are all blank, schools without a card, only lend the model's own word.
        """
        given, areas = ~np.isnan(standards), standards.shape[1]
        asked = given | ~given.any(axis=1, keepdims=True)
        cards = given.any(axis=1).sum()
        before = mass_before(chances.reshape(-1, STANDARDS)).reshape(chances.shape)
        place = np.where(given, standards, 1).astype(int)[:, :, None] - 1
        came = np.take_along_axis(before, place, axis=2)[:, :, 0]
        # All areas: what came, and what would come if the chances were right.
        scores = np.concatenate([came[given], before[asked].ravel()])
        weight = np.concatenate(
            [np.full(given.sum(), cards / max(given.sum(), 1)), chances[asked].ravel() * LEAN / asked.sum()]
        )
        weight *= LEAN / weight.sum()
        self.limits = []
        for area in range(areas):
            mine = came[given[:, area], area]
            own = np.concatenate([np.ones(len(mine)), weight])
            self.limits.append(_quantile(np.concatenate([mine, scores]), own, self.promised))
        return self

    def members(self, chances: np.ndarray) -> np.ndarray:
        """Which standards each set holds, as `chances`."""
        limits = np.asarray(self.limits or [self.promised] * chances.shape[1])
        return mass_before(chances.reshape(-1, STANDARDS)).reshape(chances.shape) <= limits[None, :, None]


def _quantile(scores: np.ndarray, weight: np.ndarray, promised: float) -> float:
    """The least score that so much of the weight, and the row to come, is no higher than."""
    order = np.argsort(scores, kind="stable")
    place = np.searchsorted(np.cumsum(weight[order]), promised * (weight.sum() + 1) - 1e-9)
    return float(scores[order[place]]) if place < len(order) else 1.0
