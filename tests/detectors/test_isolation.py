"""One tenant's data with another: what is a breach, what is none, and what is said of it."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.boundaries.crossing import MOST_PAIRS, MOST_PARTIES, MOST_SESSIONS
from detectors.boundaries.parties import LONGEST_ID
from detectors.boundaries.parties import MOST_SESSIONS as MOST_FOLLOWED
from detectors.isolation import MOST_ACCEPTED, TOLD_S, Isolation
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

DAY_S = 86_400.0


class Agent:
    """One agent under watch."""

    def __init__(self, **options):
        self.detector = Isolation(Watch(), options)
        self.at = START_S

    def see(self, session="c1", tenant=None, user=None, after=1.0, **data):
        """An event `after` seconds later; what holds then, by kind."""
        self.at += after
        parts = {
            "conversation": {"id": session} if session else None,
            "tenant": {"id": tenant} if tenant is not None else None,
            "user": {"id": user} if user is not None else None,
            **data,
        }
        each = event(self.at, **{name: part for name, part in parts.items() if part is not None})
        self.detector.observe(each, self.at)
        return self.holding

    def touch(self, owner, tenant="t1", session="c1", **resource):
        found = {"kind": "memory", "id": "h:51", "owner": owner, **resource}
        return self.see(session, tenant, isolation={"resources": [found]})

    def holds(self, token, tenant=None, session=None, user=None):
        return self.see(session, tenant, user, isolation={"honeytokens": [token]})

    @property
    def holding(self):
        found = self.detector.findings(self.at)
        assert all(each.finding == "breach" for each in found)
        return {each.labels["kind"]: each for each in found}


class TestSessions:
    def test_a_session_of_two_tenants_is_a_breach_at_once_and_names_both(self):
        agent = Agent()
        assert not agent.see(tenant="t1", user="u1")
        found = agent.see(tenant="t2", user="u2")["session"]
        assert found.summary == ("sessions touched by two tenants, once since 00:00 UTC: t2 in what is t1's")
        assert (found.observed, found.unit, found.confidence, found.onset) == (
            1.0,
            "breaches",
            1.0,
            START_S + 2,
        )
        assert (found.blast.sessions, found.blast.tenants, found.blast.users) == (1, 2, 0)
        assert [each.value for each in found.contributors] == ["t1 / t2"]
        assert [(each.conversation, each.text) for each in found.samples] == [
            ("c1", "session: t1's, touched by t2")
        ]

    def test_a_session_of_two_users_of_one_tenant_is_a_breach(self):
        agent = Agent()
        agent.see(tenant="t1", user="u1")
        found = agent.see(tenant="t1", user="u2")["session"]
        assert found.summary == "sessions touched by two users, once since 00:00 UTC: u2 in what is u1's"
        assert (found.blast.tenants, found.blast.users) == (0, 2)

    def test_users_may_share_sessions_where_the_team_says_so_but_tenants_may_not(self):
        agent = Agent(shared_sessions="true")
        agent.see(tenant="t1", user="u1")
        assert not agent.see(tenant="t1", user="u2")
        assert agent.see(tenant="t2", user="u2")

    def test_who_signs_in_during_a_session_was_nobody_before(self):
        agent = Agent()
        agent.see(tenant="t1", user="anonymous")
        assert not agent.see(tenant="t1", user="u1")
        assert agent.see(tenant="t1", user="u2")

    def test_events_that_do_not_say_who_are_no_breach(self):
        agent = Agent()
        for tenant, user in (("t1", "u1"), (None, None), ("", ""), ("t1", None), (None, "u1")):
            assert not agent.see(tenant=tenant, user=user)
        assert not agent.see(session=None, tenant="t2", user="u2")
        assert not agent.see(session="", tenant="t2", user="u2")

    def test_a_session_whose_tenant_is_told_late_has_it_from_then_on(self):
        agent = Agent()
        agent.see(user="u1")
        assert not agent.see(tenant="t1")
        assert agent.see(tenant="t2")

    def test_a_tenant_of_one_event_is_nobody_s_breach(self):
        agent = Agent()
        for number in range(1000):
            assert not agent.see(f"c{number}", f"t{number}", f"u{number}")

    def test_ids_longer_than_are_kept_are_still_told_apart(self):
        agent = Agent()
        agent.see(tenant="x" * LONGEST_ID + "a")
        assert not agent.see(tenant="x" * LONGEST_ID + "a")
        assert agent.see(tenant="x" * LONGEST_ID + "b")

    def test_addresses_of_people_are_masked_and_still_told_apart(self):
        agent = Agent()
        agent.see(user="ana@example.org")
        summary = agent.see(user="bo@example.org")["session"].summary
        assert "example" not in summary
        assert summary.count("[e-mail]#") == 2

    def test_random_ids_are_named_as_they_are(self):
        agent = Agent()
        ids = ("0b6f3f0e-5d1c-4d8e-9f39-5f1f5b6c1a11", "0b6f3f0e-5d1c-4d8e-9f39-5f1f5b6c1a12")
        agent.see(tenant=ids[0])
        assert f"{ids[1]} in what is {ids[0]}'s" in agent.see(tenant=ids[1])["session"].summary


class TestResources:
    def test_a_resource_of_another_tenant_is_a_breach(self):
        found = Agent().touch("t3", access="read")["resource"]
        assert "t1 in what is t3's" in found.summary
        assert found.samples[0].text == "read of memory h:51: t3's, touched by t1"

    @pytest.mark.parametrize("owner", ["t1", "shared", "public", "made-up", "pool", ""])
    def test_what_is_the_tenant_s_own_everybody_s_or_the_agent_s_is_none(self, owner):
        assert not Agent(shared=["pool"]).touch(owner)

    def test_the_session_says_whose_event_it_is_where_the_event_does_not(self):
        agent = Agent()
        agent.see(tenant="t1")
        assert not agent.touch("t1", tenant=None)
        assert agent.touch("t2", tenant=None)

    def test_what_is_the_user_s_own_is_none_and_without_anybody_nothing_is_known(self):
        agent = Agent()
        own = {"resources": [{"kind": "file", "id": "f", "owner": "u1"}]}
        assert not agent.see(user="u1", isolation=own)
        assert not agent.see(session=None, isolation=own)


class TestPlantedStrings:
    def test_one_seen_with_another_tenant_is_a_breach_and_names_both(self):
        agent = Agent()
        assert not agent.holds("h-1", "t1")
        assert not agent.holds("h-1", "t1")
        found = agent.holds("h-1", "t2", session="c9")["honeytoken"]
        assert found.summary == "planted strings seen elsewhere, once since 00:00 UTC: t2 in what is t1's"
        assert found.samples[0].text == "planted string h-1: t1's, touched by t2"

    def test_the_owner_that_the_team_names_counts_from_the_first_sight_on(self):
        agent = Agent(honeytokens={"h-1": "t7"})
        assert not agent.holds("h-1", "t7")
        assert "t2 in what is t7's" in agent.holds("h-1", "t2")["honeytoken"].summary

    def test_where_there_are_no_tenants_users_are_the_parties(self):
        agent = Agent()
        agent.holds("h-1", user="u1")
        assert agent.holds("h-1", user="u2")

    def test_owners_must_be_by_planted_string(self):
        with pytest.raises(ValueError, match="owners by planted string"):
            Agent(honeytokens=["h-1"])


class TestWhatIsSaid:
    def test_it_ends_half_an_hour_after_the_last_breach_and_begins_anew_with_the_next(self):
        agent = Agent()
        first = agent.touch("t3")["resource"].onset
        agent.at += TOLD_S - 2
        assert agent.holding["resource"].onset == first
        assert agent.touch("t3")["resource"].onset == first
        assert agent.detector.wake_at == agent.at + TOLD_S
        agent.at += TOLD_S
        assert not agent.holding
        assert agent.detector.wake_at is None
        assert agent.touch("t3")["resource"].onset == agent.at

    def test_breaches_under_load_say_so(self):
        agent = Agent()
        for number in range(40):
            agent.see(f"c{number}", "t1", after=30.0)
        for number in range(12):
            agent.see(f"d{number}", "t1", after=0.5)
        found = agent.see("d3", "t2", after=0.5)["session"]
        (load,) = [each for each in found.contributors if each.dimension == "concurrency"]
        assert load.value == "13 at once, usually 2"
        assert load.lift >= 5
        assert found.summary.endswith("13 at once, usually 2")

    def test_calls_at_once_count_where_agents_tell_them(self):
        agent = Agent()
        for number in range(40):
            agent.see(f"c{number}", "t1", after=30.0)
        found = agent.see("c39", "t2", limits={"concurrency": 64})["session"]
        assert found.contributors[-1].value == "64 at once, usually 2"

    def test_three_samples_of_different_breaches_are_kept_and_many_pairs_are_counted(self):
        agent = Agent()
        for number in range(MOST_PAIRS + 5):
            agent.touch(f"o{number:02}")
            found = agent.touch(f"o{number:02}")["resource"]
        assert [each.text[-20:] for each in found.samples] == [
            f": o{n:02}'s, touched by t1"[-20:] for n in range(3)
        ]
        assert "o00's, t1 in what is o01's, t1 in what is o02's and 13 other pairs" in found.summary
        assert (found.observed, found.blast.capped) == (42.0, True)

    def test_sessions_and_parties_are_counted_up_to_their_caps(self):
        agent = Agent()
        for number in range(MOST_SESSIONS + 10):
            found = agent.touch(f"o{number % 100}", session=f"c{number}")["resource"]
        assert found.blast.sessions == MOST_SESSIONS
        assert found.blast.tenants == MOST_PARTIES
        assert found.blast.capped

    def test_what_a_person_called_normal_is_told_no_more_but_other_pairs_are(self):
        agent = Agent()
        agent.touch("t3")
        agent.detector.rebase(agent.at)
        assert not agent.holding
        assert not agent.touch("t3")
        assert agent.touch("t4")

    def test_only_so_many_normal_pairs_are_remembered(self):
        agent = Agent()
        for number in range(MOST_ACCEPTED + 3):
            agent.touch(f"o{number}")
            agent.detector.rebase(agent.at)
        assert not agent.touch("o66")
        assert agent.touch("o0")


class TestBounds:
    def test_within_the_cap_no_session_is_forgotten(self):
        agent = Agent()
        for number in range(MOST_FOLLOWED):
            agent.see(f"c{number}", "t1")
        assert agent.see("c0", "t2")

    def test_beyond_it_the_one_untouched_for_longest_is_and_the_finding_says_so(self):
        agent = Agent()
        for number in range(MOST_FOLLOWED + 1):
            agent.see(f"c{number}", "t1")
        assert not agent.see("c0", "t2")
        found = agent.see(f"c{MOST_FOLLOWED}", "t2")["session"]
        assert "2 running sessions beyond 512 not followed" in found.summary
        assert found.blast.capped

    def test_sessions_touched_again_are_the_last_to_be_forgotten(self):
        agent = Agent()
        agent.see("c", "t1")
        for number in range(MOST_FOLLOWED + 100):
            agent.see(f"c{number}", "t1", after=61.0)
            agent.see("c", "t1")
        assert agent.see("c", "t2")["session"].blast.sessions == 1

    def test_a_hundred_thousand_planted_strings_and_tools_fill_it_to_a_bound(self):
        agent = Agent()
        for number in range(100_000):
            at = START_S + number
            parts = {"tool": {"name": f"tool{number}"}, "tenant": {"id": f"t{number}"}}
            tokens = {"honeytokens": [f"h{number}"]}
            agent.detector.observe(event(at, "execute_tool", **parts, isolation=tokens), at)
        assert len(msgspec.msgpack.encode(agent.detector.save())) < 20_000
        assert not agent.detector.findings(at)

    @pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
    def test_a_clock_that_jumps_by_a_day_loses_no_breach(self, jump_s):
        agent = Agent()
        agent.see(tenant="t1")
        late = event(agent.at + jump_s, conversation={"id": "c1"}, tenant={"id": "t2"})
        agent.detector.observe(late, max(agent.at, agent.at + jump_s))
        assert agent.detector.findings(max(agent.at, agent.at + jump_s))

    def test_an_agent_renamed_in_mid_stream_is_another_agent(self):
        """The bank keeps one detector by agent name; who owns a resource is told by name too."""
        agent = Agent()
        agent.see(tenant="t1", agent={"name": "made-up"})
        assert agent.see(tenant="t2", agent={"name": "renamed"})

    def test_operations_without_duration_or_with_none_at_all_are_like_any_other(self):
        agent = Agent()
        agent.see(tenant="t1", operation={"duration": 0.0})
        assert agent.see(tenant="t2", operation={"duration": 0.0})

    def test_state_of_another_version_is_refused(self):
        with pytest.raises(ValueError, match="state of isolation has version 99"):
            Isolation.load(Watch(), {}, Isolation(Watch(), {}).save(), 99)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.2))
def test_within_the_cap_breaches_are_exactly_those_of_a_plain_record_of_everything(seed, leak):
    draw, agent, whose, expected = random.Random(seed), Agent(), {}, 0
    for _ in range(300):
        session, right = f"c{draw.randrange(50)}", f"t{draw.randrange(8)}"
        tenant = whose.setdefault(session, right)
        tenant = right if draw.random() < leak else tenant
        expected += tenant != whose[session]
        found = agent.see(session, tenant, after=draw.choice((0.1, 1.0, 5.9)))
        assert (found["session"].observed if found else 0) == expected
