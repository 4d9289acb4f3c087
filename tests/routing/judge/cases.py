"""Random rules and alerts that all versions of Alertmanager read alike, many of them in one configuration."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

RECEIVERS = ("r0", "r1", "r2")
LABELS = ("a", "b", "c", "d_1")
CASE = "case"
"""The label that keeps the alerts of one case apart from those of the others."""

Tree = dict[str, Any]
Labels = dict[str, str]


class Case(NamedTuple):
    """One tree with its inhibition, and the alerts that are sent to it; `over` are resolved ones."""

    route: Tree
    inhibit_rules: tuple[Tree, ...]
    alerts: tuple[Labels, ...]
    over: tuple[Labels, ...]


VALUES = st.sampled_from(["", "x", "y", "xy", "z 1", 'q"\\', "é,}", "{x", "a\nb", "٣"])
EXPRESSIONS = st.sampled_from(
    ["", "x", "x|y", "x|", ".*", ".+", "x.*", "[^x]", "(?i)X", r"\d", r"\pL+", "^x$", ".{2}", 'q"\\\\', "a.b"]
)
NAMES = st.sampled_from(LABELS)
ALERTS = st.dictionaries(NAMES, VALUES, max_size=len(LABELS))


def written(name: str, op: str, value: str) -> st.SearchStrategy[str]:
    """Ways to write one matcher in the classic grammar."""
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    forms = [f"{name}{op}{quoted}", f" {name} {op} {quoted} "]
    if value.isascii() and value.isalnum():
        forms.append(f"{name}{op}{value}")
    return st.sampled_from(forms)


MATCHER = st.one_of(
    st.tuples(NAMES, st.sampled_from(["=", "!="]), VALUES),
    st.tuples(NAMES, st.sampled_from(["=~", "!~"]), EXPRESSIONS),
).flatmap(lambda triple: written(*triple))
GATHERED = st.one_of(
    MATCHER,
    MATCHER.map(lambda one: "{" + one + "}"),
    st.lists(MATCHER, min_size=2, max_size=3).map(",".join),
    st.lists(MATCHER, min_size=1, max_size=2).map(lambda some: "{" + ",".join(some) + ",}"),
)


def conditions(prefix: str = "") -> st.SearchStrategy[Tree]:
    """`matchers`, and sometimes the older `match` and `match_re` beside them."""
    return st.fixed_dictionaries(
        {},
        optional={
            f"{prefix}matchers": st.lists(GATHERED, max_size=2),
            f"{prefix}match": st.dictionaries(NAMES, VALUES, max_size=1),
            f"{prefix}match_re": st.dictionaries(NAMES, EXPRESSIONS, max_size=1),
        },
    )


GROUPING = st.one_of(st.just(["..."]), st.lists(NAMES, min_size=1, max_size=3, unique=True))
"""Never `[]` below the root: that means another thing from version 0.31 on."""
OWN = st.fixed_dictionaries(
    {},
    optional={
        "receiver": st.sampled_from(RECEIVERS),
        "group_by": GROUPING,
        "continue": st.booleans(),
        "group_wait": st.just("2h"),
    },
)


def node(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """A route with some below it."""
    return st.builds(
        lambda own, where, below: {**own, **where, "routes": below},
        OWN, conditions(), st.lists(children, max_size=4),
    )  # fmt: skip


LEAF = st.builds(lambda own, where: {**own, **where}, OWN, conditions())
ROOT = st.builds(
    lambda receiver, group_by, routes: {"receiver": receiver, "group_by": group_by, "routes": routes},
    st.sampled_from(RECEIVERS),
    st.one_of(st.just([]), GROUPING),
    st.lists(st.recursive(LEAF, node, max_leaves=6), max_size=4),
)
SIDES = {
    side: st.one_of(
        st.builds(lambda one, name=f"{side}_matchers": {name: [one]}, MATCHER), conditions(f"{side}_")
    )
    for side in ("source", "target")
}
INHIBITION = st.builds(
    lambda source, target, equal: {**source, **target, "equal": equal},
    SIDES["source"], SIDES["target"], st.lists(NAMES, max_size=2, unique=True),
)  # fmt: skip
CASES = st.builds(
    Case,
    ROOT,
    st.lists(INHIBITION, min_size=1, max_size=3).map(tuple),
    st.lists(ALERTS, min_size=4, max_size=12).map(tuple),
    st.lists(ALERTS, max_size=2).map(tuple),
)


class Batch(NamedTuple):
    """Many cases as one configuration, each below a route of its own."""

    text: str
    alerts: list[Labels]
    over: list[Labels]


def batch(cases: Sequence[Case]) -> Batch:
    """One configuration for all cases: each has its own value of the label `case`."""
    mine = [f'{CASE}="{number}"' for number in range(len(cases))]
    document = {
        "route": {
            "receiver": "outside",
            "group_wait": "1h",
            "routes": [{"matchers": [own], **case.route} for own, case in zip(mine, cases, strict=True)],
        },
        "inhibit_rules": [
            {**rule, **{key: [*rule.get(key, ()), own] for key in ("source_matchers", "target_matchers")}}
            for own, case in zip(mine, cases, strict=True)
            for rule in case.inhibit_rules
        ],
        "receivers": [{"name": name} for name in ("outside", *RECEIVERS)],
    }
    alerts, over = [], []
    for number, case in enumerate(cases):
        known = {
            tuple(sorted((name, value) for name, value in each.items() if value)) for each in case.alerts
        }
        alerts += [{**dict(each), CASE: str(number)} for each in sorted(known)]
        ended = {tuple(sorted((name, value) for name, value in each.items() if value)) for each in case.over}
        over += [{**dict(each), CASE: str(number)} for each in sorted(ended - known)]
    return Batch(json.dumps(document, ensure_ascii=False), alerts, over)
