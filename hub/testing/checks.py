"""How a contract is made of checks: numbered, named, asked only of who claims the thing.

A check is a test method. What a class does not claim is not collected at all; what it claims and
cannot show must be exempted by name with a reason, and then shows up as skipped with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, ClassVar, TypeVar

import pytest

C = TypeVar("C", bound="Contract")
Asks = Callable[[type[Any]], bool]


class Broken(AssertionError):
    """A check found that a contract is not kept; the text says which and how."""


def expect(condition: object, words: str) -> None:
    """Raise Broken with these words unless the condition holds."""
    if not condition:
        raise Broken(words)


def always(_: type[Any]) -> bool:
    """Asked of everybody."""
    return True


def check(number: int, name: str, *, asks: Asks = always) -> Callable[[Callable[[C], None]], Any]:
    """Make a method a check; `number` is its rule, `name` what an exemption calls it."""

    def wrap(function: Callable[[C], None]) -> Callable[[C], None]:
        @wraps(function)
        def run(self: C) -> None:
            if name in self.exempt:
                pytest.skip(f"exempt from {name}: {self.exempt[name]}")
            try:
                function(self)
            except Broken as broken:
                raise Broken(f"rule {number} ({name}): {broken}") from broken.__cause__
            except NotImplementedError as missing:
                words = f"give `{missing}` in the test, or exempt {name!r} with a reason"
                raise Broken(f"rule {number} ({name}): {words}") from missing

        run.contract_check = (number, name, asks)  # type: ignore[attr-defined]
        return run

    return wrap


class Contract:
    """The base of every contract: keeps its checks, and drops what is not asked."""

    exempt: ClassVar[Mapping[str, str]] = {}
    """Checks that cannot be shown, by name, each with the reason."""

    @classmethod
    def subject(cls) -> Any:
        """What is under test; None in classes that only help."""
        return None

    @classmethod
    def checks(cls) -> dict[str, str]:
        """The checks that are asked: name to method."""
        return {
            found[1]: method
            for method in dir(cls)
            if (found := getattr(getattr(cls, method, None), "contract_check", None))
        }

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if cls.subject() is None:
            return
        for name, method in cls.checks().items():
            if not getattr(cls, method).contract_check[2](cls):
                if name in cls.exempt:
                    raise TypeError(f"{cls.__name__} is not asked for {name}: no exemption needed")
                # Not collected: what is not claimed is not asked.
                setattr(cls, method, None)
        for name, reason in cls.exempt.items():
            if name not in cls.checks():
                raise TypeError(f"{cls.__name__}.exempt names {name!r}, which is no check")
            if not reason.strip():
                raise TypeError(f"{cls.__name__}.exempt[{name!r}] gives no reason")


def outcomes(contract: type[Contract], without: Collection[str] = ()) -> dict[str, str]:
    """Run the checks; gives by name "passed", "exempt: <reason>" or what is broken.

    For graders and for tests of the kit itself; pytest runs the same methods one by one.
    """
    found = {}
    for name, method in sorted(contract.checks().items()):
        if name in without:
            continue
        one = contract()
        setup = getattr(one, "setup_method", None)
        try:
            if setup is not None:
                setup()
            getattr(one, method)()
        except pytest.skip.Exception as skipped:
            found[name] = f"exempt: {skipped}"
        except Broken as broken:
            found[name] = str(broken)
        except Exception as error:  # noqa: BLE001 - shown as what it is, the others run on
            found[name] = f"{type(error).__name__}: {error}"
        else:
            found[name] = "passed"
    return found
