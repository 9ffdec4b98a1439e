"""What can go wrong between a Brain, its database and a unit, and how often: probabilities of each."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Each number is how likely it is, each time that it could happen."""

    brain_dies: float = 0
    """At one of the moments at which a Brain's end could matter."""
    world_goes_on: float = 0
    """Between two steps of a Brain, another one does a whole round, or what comes next happens already."""
    database_is_away: float = 0
    """A transaction cannot begin."""
    call_is_lost: float = 0
    """The unit does not get a call."""
    answer_is_lost: float = 0
    """The unit does what it was asked, and the Brain learns nothing of it."""
    call_is_late: float = 0
    """The unit gets a call much later than it was sent."""
    call_is_doubled: float = 0
    """The unit gets a call once more, later."""
    look_is_stale: float = 0
    """The unit tells how an execution was a while ago."""
    storage_is_away: float = 0
    """The unit's buckets do not answer."""
    message_is_lost: float = 0
    message_is_doubled: float = 0
    message_is_late: float = 0
    message_is_forged: float = 0
    """Somebody sends it with another signature."""
    clock_is_wrong: float = 0
    """The unit's clock differs from the Brain's by more than is allowed."""
    no_machine: float = 0
    """The unit has none free, and says so after a while; no worker begins."""
    worker_dies: float = 0
    """The worker is killed, or runs out of memory."""
    worker_crashes: float = 0
    """The worker ends without a word, or the disk is full."""
    worker_hangs: float = 0
    """The worker never ends by itself."""
    unit_forgets: float = 0
    """The unit loses sight of an execution, which works on."""
    result_is_damaged: float = 0
    """The worker says that it is done, and its package is not whole."""
    stop_is_ignored: float = 0
    deadline_is_ignored: float = 0
    """The unit does not end by itself what takes too long."""

    def strikes(self, random: Random, probability: float) -> bool:
        """Tell whether it happens this time."""
        # No number is drawn for what cannot happen, so that clear weather is the same from every seed.
        return probability > 0 and random.random() < probability


CLEAR = Weather()
STORM = Weather(
    brain_dies=0.01,
    world_goes_on=0.06,
    database_is_away=0.005,
    call_is_lost=0.1,
    answer_is_lost=0.1,
    call_is_late=0.05,
    call_is_doubled=0.05,
    look_is_stale=0.05,
    storage_is_away=0.05,
    message_is_lost=0.3,
    message_is_doubled=0.2,
    message_is_late=0.2,
    message_is_forged=0.05,
    clock_is_wrong=0.05,
    no_machine=0.2,
    worker_dies=0.1,
    worker_crashes=0.05,
    worker_hangs=0.03,
    unit_forgets=0.04,
    result_is_damaged=0.05,
    stop_is_ignored=0.2,
    deadline_is_ignored=0.5,
)
