"""Named plug-ins: estimators, rewrite rules, policies and model families all live in a `Registry`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from paretosql.errors import ProgrammingError, closest, compose

T = TypeVar("T")


class Registry(Generic[T]):
    """A dictionary of named things that refuses duplicates and explains unknown names.

    >>> greetings: Registry[str] = Registry("greeting")
    >>> _ = greetings.add("hello", "hi there")
    >>> greetings["hello"], list(greetings)
    ('hi there', ['hello'])
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Store `item` under `name`; ValueError when the name is taken."""
        if name in self._items:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._items[name] = item
        return item

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator form of `add`."""
        return lambda item: self.add(name, item)

    def __getitem__(self, name: str) -> T:
        """The item called `name`; ProgrammingError with the nearest known name when there is none."""
        try:
            return self._items[name]
        except KeyError:
            near = closest(name, self._items)
            start = f"did you mean {near!r}? " if near else ""
            raise ProgrammingError(
                compose(f"no {self.kind} named {name!r}", hint=f"{start}Known: {', '.join(sorted(self._items))}.")
            ) from None

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items))
