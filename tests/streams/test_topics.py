"""Topics that must fit each other and what the pipeline needs."""

import pytest
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaTimeoutError,
    NotControllerError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from streams.hosting.standing import AHEAD, NOT_THERE, Stand, Standing, deviations
from streams.hosting.topics import (
    CAUSES,
    DEADLETTER,
    DETECTOR_STATE,
    EVENTS,
    INCIDENTS,
    OUTCOMES,
    PAGES,
    ROUTING_STATE,
    TOPICS,
    Created,
    NotAllowed,
    Refused,
    listed,
    sorted_out,
)


def stand(brokers: int = 1, copies: int = 1, **departing: Standing | dict[str, str] | int | None) -> Stand:
    """Topics as they should be, but for those named: their partitions, some settings, or all of it."""
    found = {}
    for topic in TOPICS:
        least = str(max(1, copies - 1))
        settings = dict(topic.settings) | {"min.insync.replicas": least}
        standing = Standing(topic.name, 1, copies, copies, settings)
        match departing.get(topic.name.split(".")[1].replace("-", "_"), standing):
            case Standing() as given:
                standing = given
            case dict() as more:
                standing = Standing(topic.name, 1, copies, copies, settings | more)
            case int() as partitions:
                standing = Standing(topic.name, partitions, copies, copies, settings)
            case None:
                standing = Standing(topic.name, 1, copies, copies, None)
        found[topic.name] = standing
    return Stand(brokers, found)


def test_topics_as_they_are_made_depart_from_nothing():
    assert deviations(stand()) == []
    assert deviations(stand(brokers=5, copies=3)) == []


def test_as_many_partitions_for_what_is_kept_as_for_what_is_read_are_fine():
    assert deviations(stand(events=4, detector_state=4, pages=3, outcomes=8)) == []


@pytest.mark.parametrize(
    ("source", "state", "counts"),
    [
        (EVENTS, DETECTOR_STATE, {"events": 4, "detector_state": 2}),
        (PAGES, OUTCOMES, {"pages": 4, "outcomes": 2}),
    ],
)
def test_fewer_of_them_are_a_fault_with_what_was_expected(source, state, counts):
    (found,) = deviations(stand(**counts))
    assert (found.level, found.topic) == ("fault", state)
    assert found.what == f"has 2 partitions, expected as many as {source}: 4"
    assert f"--topic {state} --partitions 4" in found.remedy


@pytest.mark.parametrize(
    ("ahead_ms", "found"), [("9223372036854775807", [EVENTS]), ("3600000", []), ("?", [])]
)
def test_events_of_any_time_to_come_are_warned_of(ahead_ms, found):
    setting = {"message.timestamp.after.max.ms": ahead_ms}
    told = deviations(stand(events=setting, pages=setting))
    assert [each.topic for each in told] == found
    assert all(each.level == "warning" and f"{AHEAD}=3600000" in each.remedy for each in told)


def test_causes_have_one_partition_and_one_order():
    found = deviations(stand(causes=2, routing_state=2))
    assert [(each.topic, each.what) for each in found] == [(CAUSES, "has 2 partitions, expected 1")]


@pytest.mark.parametrize(
    ("name", "policy", "level", "why"),
    [
        (ROUTING_STATE, "delete", "fault", "forgets state by its age"),
        (DETECTOR_STATE, "compact,delete", "fault", "forgets state by its age"),
        (OUTCOMES, "", "fault", "is never compacted"),
        (EVENTS, "compact", "fault", "loses what is older of a key"),
        (INCIDENTS, "delete", "warning", "forgets state by its age"),
    ],
)
def test_state_is_compacted_and_what_is_read_is_not(name, policy, level, why):
    departing = {name.split(".")[1].replace("-", "_"): {"cleanup.policy": policy}}
    (found,) = deviations(stand(**departing))
    assert (found.topic, found.level) == (name, level)
    assert why in found.what
    assert f"--topic {name} --add-config cleanup.policy=" in found.remedy


def test_what_is_missing_is_a_fault_that_the_command_mends():
    (found,) = deviations(stand(deadletter=Standing(DEADLETTER)))
    assert str(found) == f"{DEADLETTER} is not there: {NOT_THERE}"
    assert found.level == "fault"


def test_what_is_kept_too_shortly_or_too_small_is_a_warning():
    found = deviations(stand(events={"retention.ms": "3600000"}, routing_state={"max.message.bytes": "9"}))
    assert [each.level for each in found] == ["warning", "warning"]
    assert "keeps 1 h" in found[0].what
    assert "refuses records above 9 bytes" in found[1].what
    assert deviations(stand(events={"retention.ms": "-1"}, causes={"retention.ms": "?"})) == []


def test_copies_that_protect_nothing_or_let_nothing_through_are_told():
    blocked = deviations(stand(causes={"min.insync.replicas": "2"}))
    assert [(each.level, "nothing can be written" in each.what) for each in blocked] == [("fault", True)]
    weak = deviations(stand(brokers=3, copies=3, causes={"min.insync.replicas": "1"}))
    assert ["lost with its broker" in each.what for each in weak] == [True]
    few = deviations(stand(brokers=2))
    assert {each.what for each in few} == {"has 1 of the 2 copies that 2 brokers can keep"}
    lagging = Standing(CAUSES, 1, 3, 2, dict(TOPICS[1].settings) | {"min.insync.replicas": "2"})
    (found,) = deviations(stand(brokers=3, copies=3, causes=lagging))
    assert "2 of 3 copies are in sync" in found.what


def test_settings_that_may_not_be_read_are_a_warning():
    (found,) = deviations(stand(causes=None))
    assert (found.level, found.remedy) == ("warning", "grant DescribeConfigs on the topics")


async def test_topics_are_waited_for_until_the_broker_lists_them_all():
    names = [each.name for each in TOPICS]
    answers = iter([names[:1], names[1:], names])

    async def told():
        return next(answers)

    await listed(told)
    assert list(answers) == []


async def test_a_broker_that_never_lists_them_is_told_of():
    async def told():
        return ()

    with pytest.raises(KafkaTimeoutError, match=r"made, but not all of them listed 0\.01 s later"):
        await listed(told, within_s=0.01)


class TestMaking:
    """What brokers answer where topics are to be made."""

    def test_what_exists_is_there(self):
        assert sorted_out([("a", 0, None), ("b", TopicAlreadyExistsError.errno, "")]) == Created(
            ("a",), ("b",)
        )

    @pytest.mark.parametrize(
        ("error", "words", "said"),
        [
            (InvalidReplicationFactorError, ["3 copies, 1 broker"], "Factor.* .3 copies, 1 broker"),
            (PolicyViolationError, [None], "a cannot be made so: PolicyViolationError$"),
            (PolicyViolationError, [], "a cannot be made so: PolicyViolationError$"),
        ],
    )
    def test_what_they_will_go_on_to_refuse_is_refused(self, error, words, said):
        with pytest.raises(Refused, match=said) as refusal:
            sorted_out([("a", error.errno, *words)])
        assert not isinstance(refusal.value, NotAllowed)

    def test_what_we_may_not_make_is_not_allowed(self):
        with pytest.raises(NotAllowed, match="we may not make a"):
            sorted_out([("a", TopicAuthorizationFailedError.errno, "")])

    def test_what_may_pass_is_none_of_these(self):
        with pytest.raises(NotControllerError):
            sorted_out([("a", NotControllerError.errno, "")])
