"""Whether far fewer or far more arrive than usual, asked at the end of each minute.

Fewer are told by their count alone: a third of the least that the hour of the week explains, so improbable
that it is no chance. More are told at once where `MetricAnomaly` finds in them what never was, else when they
last.
"""

from math import exp, sqrt

from detectors.dense import single, singles
from detectors.metric import Memory, MetricAnomaly
from detectors.volumes.change import Change
from detectors.volumes.expected import AMPLE, Expected
from detectors.volumes.flow import HOUR, RECALLED, Flow, Kind
from detectors.volumes.scatter import surprise
from detectors.volumes.seasons import FEWEST_HOURS, HOURS, WEEKS
from detectors.volumes.visits import GENERATION
from schemas.wire import moment

SHORT, MIDDLE, LONG, LONGEST = 5, 15, 60, 120
"""Minutes that are looked at together."""
RECENT = 10
"""Minutes in which nothing is heard: then it is no fall but a silence, or the end of one where …"""
EARLIER = 3
"""… nobody came in all but the last third of what is looked at."""
BRIEF = 5
"""As many are a silence where they are as improbable as a fall."""
UNLIKELY = 5.0
"""Nats: what comes after a silence is judged by itself before it is judged with it."""
FALLEN, WELL = 0.3, 0.6
"""Shares of the least that is usual: told from the first on, and over where there is more than the second."""
RISEN, TWICE = 3.0, 2.0
"""The same of the most that is usual: told, and over."""
IMPROBABLE: dict[Kind, float] = {"drop": 11.0, "surge": 14.0}
"""Nats: chances below one in 60,000 and in a million, over and over."""
FEWEST_RISEN = 12
LASTS = 10
"""Minutes for which a rise must last that is no novelty, …"""
SUSPECT = 15
"""… and for which one is suspect after it was a novelty."""
REMEMBERED = 48
"""Distinct values that `MetricAnomaly` remembers: few, for what is usual guards against its false alarms."""
MOST_A_WEEK = 3
WEEK = 7 * 1440
UNSURE = 0.6
"""Confidence in a fall before which little was to come: the day did not begin, it may be one of rest."""


class Tide:
    """Learns what is usual, and says what is not. `state` is all that it knows."""

    __slots__ = ("_expected", "state")

    def __init__(self, state: Flow) -> None:
        """Continues from a state."""
        self.state = state
        self._expected = Expected(state)

    def hears(self) -> None:
        """Something came in the open minute, whatever it was."""
        state = self.state
        silent = state.minute - state.heard - 1
        if self._is_silence(silent):
            state.resumed, state.paused = state.minute, min(RECALLED, silent + 1)
        state.heard = state.minute

    def turn(self, minute: int) -> None:
        """Closes the minutes that are over."""
        state = self.state
        if state.minute < 0:
            state.minute = minute
        if minute - state.minute > RECALLED:
            self._leap(minute)
        while state.minute < minute:
            self._close()

    def _leap(self, minute: int) -> None:
        """Nothing came for hours: they were empty, and what held has ended."""
        state = self.state
        hour, first = minute // HOUR, state.minute // HOUR
        if state.whole:
            state.seasons.file(first, state.of_the_hour)
        for each in range(max(first + 1, hour - WEEKS * HOURS), hour):
            state.seasons.file(each, 0)
        state.minutes, state.count, state.whole = [0] * RECALLED, 0, True
        state.minute, state.high, state.changes, state.late = minute, 0, {}, {}
        state.visits.forget()
        self._expected.forget()

    def _close(self) -> None:
        state, minute = self.state, self.state.minute
        del state.minutes[0]
        state.minutes.append(state.count)
        state.minute, state.count = minute + 1, 0
        state.forget_late()
        self._follow(minute)
        if state.minute % SHORT == 0:
            self._five_minutes(minute)
        if state.seasons.known >= FEWEST_HOURS:
            self._judge(minute)
        if state.minute % HOUR == 0:
            self._hour(minute // HOUR)

    def _five_minutes(self, minute: int) -> None:
        """Shows them to `MetricAnomaly`: their root, which chance sways alike whatever the count."""
        state = self.state
        if state.minute % GENERATION == 0:
            self._generation()
            before, count = state.sum(2 * GENERATION) - state.sum(GENERATION), state.sum(GENERATION)
            if not state.changes and before + count:
                state.scatter.learn(before, count, state.visits.worth(2 * GENERATION))
        if state.sum(LONG):
            anomaly = MetricAnomaly("up", REMEMBERED, state.memory)
            at = moment(state.minute * 60.0)
            if anomaly.score_one(at, single(sqrt(state.sum(SHORT)))) >= anomaly.threshold:
                state.suspect = minute
        if not state.changes:
            state.others.turn(state.minute * 60.0)

    def _generation(self) -> None:
        """Who goes on after a pause of all is not new: nobody is forgotten while nothing is heard."""
        state = self.state
        silent, spoken = state.minute - state.heard, state.minute - state.resumed
        if silent > GENERATION:
            state.visits.rest()
        elif silent > RECENT or (spoken <= GENERATION and state.paused > RECENT):
            state.visits.pause()
        else:
            state.visits.turn()

    def _judge(self, minute: int) -> None:
        changes = self.state.changes
        if "drop" not in changes:
            for length in (MIDDLE, LONG, LONGEST)[: 1 if (minute + 1) % SHORT else 3]:
                if self._has_fallen(length):
                    self._open("drop", minute, length)
                    break
        if "surge" not in changes and self._is_rising(minute):
            self._open("surge", minute, SHORT)

    def _hour(self, hour: int) -> None:
        state = self.state
        if state.whole and "drop" not in state.changes and state.fell < hour * HOUR:
            state.seasons.file(hour, state.present(HOUR))
        state.whole = True
        for kind in list(state.accepted):
            if self._is_well(kind, 1.0):
                del state.accepted[kind]
        _thin(state.memory)
        self._expected.forget()

    def _is_rising(self, minute: int) -> bool:
        state = self.state
        if not any(self._has_risen(length) for length in (SHORT, MIDDLE)):
            state.high = 0
            return False
        state.high = state.high or minute
        return minute - state.suspect <= SUSPECT or minute - state.high >= LASTS

    def _has_risen(self, length: int) -> bool:
        count = self.state.sum(length)
        if count < FEWEST_RISEN:
            return False
        usual = self._accepted("surge") * self._expected.usual("surge", length)
        return 0 < RISEN * usual <= count and self._is_improbable("surge", length, count, usual)

    def _has_fallen(self, length: int) -> bool:
        """Whether far fewer come than usual and, if there were few before, than these."""
        if self.state.minute - 1 - self.state.fell < length:
            return False
        usual, count = self._expected.usual("drop", length), self.state.present(length)
        if count > FALLEN * usual or self._was_silent(length, count):
            return False
        usual *= self._level("drop", length)
        return count <= FALLEN * usual and self._is_improbable("drop", length, count, usual)

    def _was_silent(self, length: int, count: int) -> bool:
        """Whether nothing was heard, now or until a while ago: that is for `silence` to tell."""
        state = self.state
        last = state.minute - 1
        if self._is_silence(last - state.heard):
            return True
        since = last - state.resumed + 1
        if since < length and (state.present(since) == count or self._goes_on(since)):
            return True
        return 0 < count == state.present(length // EARLIER)

    def _is_silence(self, length: int) -> bool:
        """Whether so many minutes in which nothing was heard, the last ones, are a silence."""
        if length < BRIEF or length >= RECENT or self.state.seasons.known < FEWEST_HOURS:
            return length >= RECENT
        return self._is_odd(self._expected.usual("drop", length), length) and self._was_well(length)

    def _was_well(self, ago: int) -> bool:
        """Whether enough came in the quarter of an hour before so many of the last minutes."""
        usual = self._expected.usual("drop", ago + MIDDLE) - self._expected.usual("drop", ago)
        return self.state.present(ago + MIDDLE) - self.state.present(ago) > FALLEN * usual

    def _is_odd(self, usual: float, length: int) -> bool:
        """Whether none of so many is as improbable as a fall."""
        return usual >= IMPROBABLE["drop"] * self._factor(length)

    def _goes_on(self, since: int) -> bool:
        """Whether a silence was odd, which is for `silence` to tell, and not what came since."""
        usual, silence = self._expected.usual("drop", since), since + self.state.paused
        if not self._is_odd(self._expected.usual("drop", silence) - usual, silence):
            return False
        count, well = self.state.present(since), WELL * usual
        enough = well if self._was_well(silence) else usual
        return count >= well or surprise(count, enough) < UNLIKELY * self._factor(since)

    def _accepted(self, kind: Kind) -> float:
        return self.state.accepted.get(kind, 1.0)

    def _level(self, kind: Kind, length: int) -> float:
        """Of what is usual: what came before, and what is accepted."""
        if kind == "drop":
            return min(self._accepted(kind), self._expected.level(length))
        return self._accepted(kind)

    def _is_improbable(self, kind: Kind, length: int, count: int, usual: float) -> bool:
        return surprise(count, usual) >= IMPROBABLE[kind] * self._factor(length)

    def _factor(self, length: int) -> float:
        """By how much the counts of so many minutes scatter more than chance has it."""
        return self.state.scatter.factor(self.state.visits.worth(length))

    def _open(self, kind: Kind, minute: int, length: int) -> None:
        state = self.state
        told = [each for each in state.told.get(kind, []) if minute - each < WEEK]
        if len(told) >= MOST_A_WEEK:
            return
        state.told[kind] = [*told, minute]
        level = self._level(kind, length)
        back, arrived, usual = self._expected.began(kind, level)
        confidence = 1 - exp(-surprise(arrived, usual) / self._factor(back))
        if (
            kind == "drop"
            and self._expected.usual(kind, RECALLED) - self._expected.usual(kind, length) < AMPLE
        ):
            confidence = UNSURE
        state.changes[kind] = Change(minute + 1 - back, minute, minute, arrived, usual, confidence, level)

    def _follow(self, minute: int) -> None:
        """What holds: goes on, is over, or has become normal."""
        state = self.state
        for kind, change in list(state.changes.items()):
            usual = change.level * self._expected.rate(kind, minute // HOUR)
            change.arrived += state.minutes[-1]
            change.usual += usual
            if not self._is_well(kind, change.level):
                change.bad = minute
                change.shown += HOUR * usual >= AMPLE and minute - state.heard < RECENT
            if change.is_normal(minute):
                self._accept(kind)
            elif change.is_over(minute):
                del state.changes[kind]
                state.fell = change.bad if kind == "drop" else state.fell

    def _is_well(self, kind: Kind, level: float) -> bool:
        for length in (MIDDLE, LONG):
            usual = level * self._expected.usual(kind, length)
            if usual >= AMPLE and kind == "drop":
                return self.state.present(length) >= WELL * usual
            if usual >= AMPLE:
                return self.state.sum(length) <= TWICE * usual
        return kind == "surge" and not self._has_risen(MIDDLE)

    def adopt(self) -> None:
        """What comes now is normal."""
        for kind in list(self.state.changes):
            self._accept(kind)

    def _accept(self, kind: Kind) -> None:
        """What holds is normal, until what was usual comes again; that is remembered for as long."""
        change = self.state.changes.pop(kind)
        self.state.accepted[kind] = change.level * change.ratio
        self.state.high = 0


def _thin(memory: Memory) -> None:
    """Levels to 32 bits: they are roots of counts."""
    level, season, departure = memory.level, memory.season, memory.departure
    for each in (level.known, season.known, memory.hours, departure.wave.levels, departure.recent):
        each.values = singles(each.values)
