"""The route tree: which routes take a label set, as Alertmanager's `Route.Match` (dispatch/route.go)."""

from collections.abc import Iterator, Mapping

from routing.policy import Route


def matching(route: Route, labels: Mapping[str, str]) -> tuple[Route, ...]:
    """The routes that take `labels`, in the order of the tree; none where `route` itself does not match.

    Children are asked in order; the first that matches and does not continue ends the search among its
    siblings. A route of which no child matched takes the labels itself.
    """
    if not all(matcher.matches(labels) for matcher in route.matchers):
        return ()
    found: list[Route] = []
    for child in route.routes:
        below = matching(child, labels)
        found.extend(below)
        if below and not child.continues:
            break
    return tuple(found) or (route,)


def nodes(route: Route) -> Iterator[Route]:
    """The route and all below it, parents first."""
    yield route
    for child in route.routes:
        yield from nodes(child)
