"""What an event says of the quality of an answer: grades, each by what it grades."""

from functools import lru_cache
from math import isfinite

from msgspec import Struct

from schemas.event import Data, Evaluation

Grade = tuple[str, str, float]
"""Finding, what is graded (an evaluation, a reason), and the grade: a score, or 1 for bad and 0 for good."""

ANSWERS = frozenset({"chat", "text_completion", "generate_content"})
REFUSED = frozenset(
    {"content_filter", "refusal", "safety", "blocked", "recitation", "prohibited_content", "guardrail"}
)
TRUNCATED = frozenset({"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded"})
CALLING = frozenset({"tool_calls", "tool_use", "function_call"})
ORDINARY = CALLING | {"stop", "end_turn", "stop_sequence"}
THUMBS_UP = frozenset(
    {"thumbs_up", "up", "positive", "good", "like", "pass", "passed", "correct", "yes", "helpful"}
)
THUMBS_DOWN = frozenset(
    {"thumbs_down", "down", "negative", "bad", "dislike", "fail", "failed", "incorrect", "no", "unhelpful"}
)
LONGEST = 64


def verdict(evaluation: Evaluation) -> Grade | None:
    """A score or, where there is none, a thumb; None for what is neither, or no finite number."""
    name, score = evaluation.name[:LONGEST], evaluation.score_value
    if score is not None:
        return ("score", name, score) if isfinite(score) else None
    label = (evaluation.score_label or "").strip().lower().replace("-", "_").replace(" ", "_")
    if label in THUMBS_DOWN:
        return "feedback", name, 1.0
    return ("feedback", name, 0.0) if label in THUMBS_UP else None


class Ending(Struct, frozen=True):
    """What finish reasons mean: whether it was refused or cut short, or calls tools; the first of them."""

    refused: bool
    truncated: bool
    calling: bool
    reason: str


@lru_cache(maxsize=1024)
def ending(reasons: tuple[str, ...]) -> Ending:
    """What these finish reasons mean."""
    known = [reason.lower()[:LONGEST] for reason in reasons]
    return Ending(
        refused=not REFUSED.isdisjoint(known),
        truncated=not TRUNCATED.isdisjoint(known),
        calling=not CALLING.isdisjoint(known),
        reason=known[0] if known else "",
    )


def refusal(data: Data) -> bool:
    """Whether it failed because it was refused."""
    return data.error is not None and data.error.type.lower() in REFUSED
