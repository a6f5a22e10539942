"""Given these facts, when this command comes, then these facts follow, or a refusal, or nothing."""

from __future__ import annotations

from functools import reduce
from typing import Any, Generic, TypeVar

import pytest

from domain.decider import Decider, Event, Rejected

State = TypeVar("State")


class Given(Generic[State]):
    """A thing to which some facts happened."""

    def __init__(self, decider: Decider[State], *facts: Event) -> None:
        self.decider = decider
        self.state = reduce(decider.evolve, facts, decider.initial)

    def when(self, *commands: Any) -> When[State]:
        """Decide the commands one after the other; what follows is asserted of the last one."""
        given = self
        for command in commands[:-1]:
            given = given.when(command).done()
        return When(given, commands[-1])


class When(Generic[State]):
    """A command in the state that was given."""

    def __init__(self, given: Given[State], command: Any) -> None:
        self.given = given
        self.command = command

    def decide(self) -> tuple[Event, ...]:
        return self.given.decider.decide(self.given.state, self.command)

    def done(self) -> Given[State]:
        """The thing after the command, whatever followed."""
        after = Given(self.given.decider)
        after.state = reduce(self.given.decider.evolve, self.decide(), self.given.state)
        return after

    def then(self, *facts: Event) -> State:
        """Exactly these facts follow. Returns the state after them."""
        assert self.decide() == facts
        return self.done().state

    def is_quiet(self) -> None:
        """It was already so."""
        assert self.decide() == ()

    def is_refused(self, fields: dict[str, str]) -> None:
        """The command breaks a rule on exactly these fields."""
        with pytest.raises(Rejected) as refusal:
            self.decide()
        assert refusal.value.fields == fields
