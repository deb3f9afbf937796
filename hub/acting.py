"""Carrying commands out inside a transaction, each by its handler, if its actor may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from crm_store.references import settle_references
from crm_store.unit_of_work import Transaction, UnitOfWork
from crm_store.viewer import Viewer
from hub.commands import Command, Receive, SettleDelivery
from hub.errors import NotFound
from hub.handlers import MANY, ONE, TOGETHER, Many, need_permission
from hub.objects import SYSTEM, Actor

Request = tuple[Actor, Viewer, tuple[Command, ...]]


class Acting:
    """The commands that somebody carries out: those of the hub and those of its plugins."""

    def __init__(self, handlers: Mapping[type[Command], Any]) -> None:
        self._handlers = handlers
        self.groups: dict[type[Command], Callable[[Transaction, list[Any]], list[Any]]] = {
            kind: self._group(function) for kind, function in MANY.items()
        }
        """For each kind that is done in sets, what does many of the hub's own at once."""

    def _group(self, function: Many) -> Callable[[Transaction, list[Any]], list[Any]]:
        def run(tx: Transaction, commands: list[Any]) -> list[Any]:
            uow = UnitOfWork(tx, actor=SYSTEM, carry_out=self._carry_one)
            return list(function(uow, commands))

        return run

    def carry_out(self, tx: Transaction, requests: list[Request]) -> list[list[Any]]:
        """Carry out whole requests, each with its own actor and rights."""
        answers = []
        for actor, viewer, commands in requests:
            results: list[Any] = []
            for kind, group in groupby(commands, type):
                if kind is Receive or (kind is SettleDelivery and viewer.is_system):
                    results += self._as_a_set(tx, viewer, kind, list(group))
                    continue
                for command in group:
                    uow = UnitOfWork(
                        tx,
                        actor=actor,
                        cause=command.cause,
                        viewer=viewer,
                        carry_out=self._carry_one,
                        carry_together=self._carry_together,
                    )
                    results.append(self._carry_one(uow, command))
            answers.append(results)
        return answers

    def _as_a_set(
        self, tx: Transaction, viewer: Viewer, kind: type[Command], commands: list[Command]
    ) -> list[Any]:
        uow = UnitOfWork(tx, actor=SYSTEM, viewer=viewer, carry_out=self._carry_one)
        need_permission(uow, commands[0])
        return list(MANY[kind](uow, commands))

    def _carry_one(self, uow: UnitOfWork, command: Command) -> Any:
        need_permission(uow, command)
        command = settle_references(uow, command)
        many = MANY.get(type(command))
        if many is not None:
            return many(uow, [command])[0]
        one = ONE.get(type(command))
        if one is not None:
            return one(uow, command)
        known = self._handlers.get(type(command))
        if known is None:
            raise NotFound(f"nobody carries out {type(command).__name__}")
        return known[1].handle(uow, command)

    def _carry_together(self, given: Sequence[tuple[UnitOfWork, Command]]) -> Sequence[Any]:
        """Carry out commands of one kind, each for its own actor: at once where that kind is."""
        together = TOGETHER.get(type(given[0][1]))
        if together is None or len(given) == 1:
            return [self._carry_one(*one) for one in given]
        for uow, command in given:
            need_permission(uow, command)
        return together(given)
