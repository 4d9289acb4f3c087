"""A canary against control while sessions come: worse, fit, or nothing to tell yet, valid at any time.

Block conditional-likelihood e-process: Mantel and Haenszel's comparison as a martingale. It rests on the
router's draw alone; strata take care of composition, blocks of drift and ramps.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from itertools import compress
from math import log, nan
from typing import Literal, Self

import msgspec
import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from detectors.rollouts import evidence, instrumentation
from detectors.rollouts.blocks import Labels, Numbers, log_likelihood, size
from detectors.rollouts.evidence import Effect, Evidence
from detectors.rollouts.instrumentation import Instrumentation
from detectors.rollouts.mix import Mix
from detectors.rollouts.open_block import Block
from detectors.rollouts.scores import Kind, Scale, score_of
from detectors.rollouts.verdict import Judged, Standing, Verdict, judge

Arm = Literal["canary", "control"]
Grid = NDArray[np.bool_]
Share = float | None | Mapping[str, float]
MARGINS: Mapping[Kind, float] = {"binary": 1.5, "positive": 1.1}
"""What is still no worse: an odds ratio, a ratio."""
MOST_STRATA = 32
MOST_WAITING = 400
"""Sessions in open blocks; at more, the fullest is closed early, which depends on no label."""
LONGEST_BLOCK_S = 86400.0
UNKNOWN_SHARE = 0.1


class Saved(Struct, array_like=True):
    """A `Comparison`."""

    metrics: dict[str, Kind]
    share: Share
    alpha: float
    margins: dict[str, float]
    optional: list[str]
    strata: dict[str, int]
    blocks: list[tuple[float, bytes, bytes]]
    scales: list[list[Scale]]
    evidence: list[evidence.Saved]
    instrumentation: instrumentation.Saved
    judged: Judged
    verdict: Verdict
    sessions: list[int]
    left_out: int
    mix: Mix = field(default_factory=Mix)


class Comparison:
    """A canary against control on several metrics, of all of which more is worse.

    `metrics`: what each value is. `share`: the canary's, as the router draws it, in (0, 1); by stratum where
    strata differ; None where it is not known, and then lost arrivals go unseen. `alpha`: chance of ever
    rolling back a canary that equals control, in (0, 1). `margins`: what is still no worse, by metric, above
    1 (default: an odds ratio of 1.5, a ratio of 1.1). `optional`: metrics that need not be within their
    margin while no session has them. Further strata than 32 are left out and counted.

    >>> from datetime import UTC, datetime
    >>> compared = Comparison({"error": "binary"}, share=0.5)
    >>> for each in range(200):
    ...     arm, bad = ("canary", 1.0) if each % 2 else ("control", 0.0)
    ...     verdict = compared.observe(datetime(2026, 1, 1, tzinfo=UTC), arm, "", {"error": bad})
    >>> verdict.state, verdict.blamed
    ('roll_back', ('error',))
    """

    def __init__(
        self,
        metrics: Mapping[str, Kind],
        share: Share,
        alpha: float = 0.01,
        *,
        margins: Mapping[str, float] | None = None,
        optional: Collection[str] = (),
    ) -> None:
        """Raises ValueError where an argument does not hold."""
        if not metrics:
            raise ValueError("expected at least one metric, found none")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must be in (0, 1), found {alpha}")
        self._metrics = dict(metrics)
        self._margins = dict(margins or {})
        self._optional = sorted(optional)
        self._alpha = alpha
        self._share: Share = None
        self._strata: dict[str, int] = {}
        self._blocks: list[Block] = []
        self._waiting = 0
        self._scales: list[list[Scale]] = []
        self._evidence = [
            Evidence(score_of(kind, self._margins.get(name, MARGINS.get(kind, 0.0))))
            for name, kind in self._metrics.items()
        ]
        self._reads = [(name, each.score.read) for name, each in zip(metrics, self._evidence, strict=True)]
        self._instrumentation = Instrumentation()
        self._judged = Judged()
        self._sessions = [0, 0]
        self.mix = Mix()
        self.left_out = 0
        self.verdict = Verdict()
        self.step(share)

    def step(self, share: Share) -> None:
        """A step of the ramp: the canary has another share from here on. No block holds two shares."""
        for name, place in self._strata.items():
            self._close(place)
            self._instrumentation.step(place, self._share_of(name))
        shares = share.values() if isinstance(share, Mapping) else [0.5 if share is None else share]
        if not all(0 <= each <= 1 for each in shares):
            raise ValueError(f"a share must be in [0, 1], found {share}")
        self._share = dict(share) if isinstance(share, Mapping) else share
        self._sizes = [self._size(name) for name in self._strata]

    def _size(self, stratum: str) -> int:
        share = self._share_of(stratum)
        return size(UNKNOWN_SHARE if share is None else share)

    def _share_of(self, stratum: str) -> float | None:
        return self._share.get(stratum) if isinstance(self._share, Mapping) else self._share

    def observe(
        self,
        time: datetime,
        arm: Arm,
        stratum: str,
        values: Mapping[str, float],
        *,
        schema: str = "",
        lacking: Collection[str] | None = None,
    ) -> Verdict:
        """Takes a session; sessions come in the order in which they began.

        `values` by metric; one that is absent, no number, or not above 0 where it must be, is missing.
        `schema`: the version of the record. `lacking`: what the record should have had; by default each
        metric that is missing.
        """
        if arm not in {"canary", "control"}:
            raise ValueError(f"arm must be canary or control, found {arm!r}")
        place = self._strata.get(stratum)
        if place is None:
            if len(self._strata) >= MOST_STRATA:
                self.left_out += 1
                return self.verdict
            place = self._enter(stratum)
        at = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        block = self._blocks[place]
        if at - block.began > LONGEST_BLOCK_S:
            self._close(place)
            block = self._blocks[place]
            block.began = at
        row = [nan if (value := values.get(name)) is None else read(value) for name, read in self._reads]
        lacks = any(each != each for each in row) if lacking is None else bool(lacking)  # noqa: PLR0124 - NaN
        block.add(row, lacks + 2 * self._instrumentation.schema(schema), canary=arm == "canary")
        self._waiting += 1
        if len(block.labels) >= self._sizes[place]:
            self._close(place)
        elif self._waiting >= MOST_WAITING:
            self._close(max(range(len(self._blocks)), key=lambda each: len(self._blocks[each].labels)))
        return self.verdict

    def _enter(self, stratum: str) -> int:
        place = self._strata[stratum] = len(self._strata)
        self._blocks.append(Block())
        self._sizes.append(self._size(stratum))
        self._scales.append([Scale() for _ in self._metrics])
        self._instrumentation.enter()
        for each in self._evidence:
            each.enter()
        return place

    def _close(self, place: int) -> None:
        """Ends the open block of a stratum, if it has sessions, and judges."""
        block = self._blocks[place]
        if not block.labels:
            return
        rows, records, canary = block.read()
        self._blocks[place] = Block()
        self._waiting -= len(canary)
        canaries = int(canary.sum())
        self._sessions[0] += canaries
        self._sessions[1] += len(canary) - canaries
        self.mix.take(place, canaries, len(canary) - canaries)
        if 0 < canaries < len(canary):
            self._compare(place, rows, canary)
        self._learn(place, rows[~canary])
        names = list(self._strata)
        self._instrumentation.take(place, records, canary, self._share_of(names[place]))
        self._judged, self.verdict = judge(self._judged, self._standing(names))

    def _compare(self, place: int, rows: Numbers, canary: Labels) -> None:
        """The metrics that every session has together, the others each over the sessions that have it."""
        known: Grid = np.logical_not(np.isnan(rows))
        whole: Grid = np.all(known, axis=0)
        together: list[tuple[Evidence, Numbers]] = []
        for each, (one, scale) in enumerate(zip(self._evidence, self._scales[place], strict=True)):
            has = known[:, each]
            values, labels = rows[has, each], canary[has]
            one.weigh(values, labels)
            if not len(values):
                continue
            tilts = one.score.tilts(values, labels, scale)
            if whole[each]:
                together.append((one, tilts))
            else:
                one.add(place, log_likelihood(tilts, labels))
        if together:
            logs = log_likelihood(np.concatenate([tilts for _, tilts in together], axis=1), canary)
            begin = 0
            for one, tilts in together:
                one.add(place, logs[begin : begin + tilts.shape[1]])
                begin += tilts.shape[1]

    def _learn(self, place: int, control: Numbers) -> None:
        for each, (one, scale) in enumerate(zip(self._evidence, self._scales[place], strict=True)):
            if one.score.scaled:
                values = control[:, each]
                scale.learn(values[~np.isnan(values)])

    @property
    def _scaled(self) -> list[bool]:
        return [each.score.scaled for each in self._evidence]

    def _all_scales(self, known: list[Scale]) -> list[Scale]:
        """By metric, of those that have one."""
        coming = iter(known)
        return [next(coming) if scaled else Scale() for scaled in self._scaled]

    def _standing(self, names: list[str]) -> Standing:
        metrics = dict(zip(self._metrics, self._evidence, strict=True))
        return Standing(
            metrics=metrics,
            needed=[each for name, each in metrics.items() if each.seen or name not in self._optional],
            instrumentation=self._instrumentation,
            strata=names,
            threshold=-log(self._alpha),
            canaries=self._sessions[0],
            controls=self._sessions[1],
        )

    @property
    def effects(self) -> Mapping[str, Effect]:
        """How the canary differs, by metric."""
        return {name: each.effect for name, each in zip(self._metrics, self._evidence, strict=True)}

    @property
    def strata(self) -> list[str]:
        """Their names, in the order in which they came."""
        return list(self._strata)

    @property
    def shares(self) -> Mapping[str, tuple[int, int]]:
        """Canaries and sessions by stratum, of this step, while both arms take part."""
        counts = self._instrumentation.counts
        return {name: counts[place] for name, place in self._strata.items()}

    def save(self) -> bytes:
        """The whole state as msgpack."""
        return msgspec.msgpack.encode(
            Saved(
                metrics=self._metrics,
                share=self._share,
                alpha=self._alpha,
                margins=self._margins,
                optional=self._optional,
                strata=self._strata,
                blocks=[(each.began, bytes(each.labels), each.rows.tobytes()) for each in self._blocks],
                scales=[list(compress(known, self._scaled)) for known in self._scales],
                evidence=[each.save() for each in self._evidence],
                instrumentation=self._instrumentation.save(),
                judged=self._judged,
                verdict=self.verdict,
                sessions=self._sessions,
                left_out=self.left_out,
                mix=self.mix,
            )
        )

    @classmethod
    def load(cls, state: bytes) -> Self:
        """Continues from a saved state."""
        saved = msgspec.msgpack.decode(state, type=Saved)
        made = cls(saved.metrics, saved.share, saved.alpha, margins=saved.margins, optional=saved.optional)
        made._strata = saved.strata
        made._blocks = [Block(began, labels, rows) for began, labels, rows in saved.blocks]
        made._waiting = sum(len(each.labels) for each in made._blocks)
        made._sizes = [made._size(name) for name in made._strata]
        made._scales = [made._all_scales(known) for known in saved.scales]
        for one, each in zip(made._evidence, saved.evidence, strict=True):
            one.load(each)
        made._instrumentation.load(saved.instrumentation)
        made._judged, made.verdict = saved.judged, saved.verdict
        made._sessions, made.left_out, made.mix = saved.sessions, saved.left_out, saved.mix
        return made
