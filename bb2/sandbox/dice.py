"""How is chance drawn, so that the same seed gives the same people on every machine and Python?"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Random draws that depend on nothing but the names given.

    Only `random.random()` is used: the one method whose sequence the library promises to keep from
    version to version (`random`, "Notes on Reproducibility"). `choice` and the others may change.
    """

    def __init__(self, *names: object):
        self._names = names
        self._random = random.Random("/".join(map(str, names)))

    def about(self, *names: object) -> "Dice":
        """Dice of their own for one subject, so that a new subject does not shift the draws of the others."""
        return Dice(*self._names, *names)

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[tuple[int, T]]) -> T:
        """One of the (weight, item) pairs' items."""
        at = self.below(sum(weight for weight, _ in items))
        for weight, item in items:
            if at < weight:
                return item
            at -= weight
        raise AssertionError("unreachable: `at` is below the sum of the weights")

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.between(0, max(0, (last - first).days)))
