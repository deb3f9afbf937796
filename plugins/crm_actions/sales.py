"""Actions on interests: stages, winning, losing, colleagues who take part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    AddCoExecutor,
    Command,
    Facts,
    LoseInterest,
    MoveInterest,
    StageId,
    UserId,
    WinInterest,
)


class _OnInterest(Action):
    """An action that needs an interest."""

    group: ClassVar[str] = "work"
    needs = frozenset({"dialog", "contact", "client", "interest"})

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands, or say that there is no interest."""
        interest = facts.object("interest")
        if interest is None:
            raise ActionHeld("there is no interest")
        return self.on_interest(interest, facts, params)

    def on_interest(self, interest: Any, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands for the interest."""
        raise NotImplementedError


class SetStage(_OnInterest):
    """Move the interest to a stage; the stage's own gate is asked as ever."""

    name = "set_stage"
    label = "move the interest to a stage"
    translations: ClassVar = {"ru": "передвинуть интерес на этап"}

    class Params(BaseModel):
        """Where to."""

        stage: str = Field(
            title="Stage", pattern="^[0-9]{1,19}$", json_schema_extra={"ref": "stage"}
        )

    def on_interest(self, interest: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Move it from where it was seen."""
        stage_id = StageId(int(params.stage))
        if interest.stage_id == stage_id:
            raise ActionHeld("it stands in this stage already")
        return [MoveInterest(interest_id=interest.id, stage_id=stage_id, seen=interest.stage_id)]


class Win(_OnInterest):
    """Close the interest as won."""

    name = "win"
    label = "close the interest as won"
    translations: ClassVar = {"ru": "закрыть интерес как выигранный"}

    def on_interest(self, interest: Any, facts: Facts, params: BaseModel) -> Sequence[Command]:
        """Win it."""
        return [WinInterest(interest_id=interest.id)]


class Lose(_OnInterest):
    """Close the interest as lost."""

    name = "lose"
    label = "close the interest as lost"
    translations: ClassVar = {"ru": "закрыть интерес как проигранный"}

    class Params(BaseModel):
        """Why."""

        reason: str = Field(
            title="Reason", pattern="^[0-9]{1,19}$", json_schema_extra={"ref": "loss_reason"}
        )
        comment: str = Field("", title="Comment", max_length=2000)

    def on_interest(self, interest: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Lose it."""
        reason = int(params.reason)
        return [LoseInterest(interest_id=interest.id, reason_id=reason, comment=params.comment)]


class AddParticipant(_OnInterest):
    """Let a colleague take part in the interest."""

    name = "add_participant"
    label = "add a colleague to the interest"
    translations: ClassVar = {"ru": "добавить участника в интерес"}

    class Params(BaseModel):
        """Who, and as what."""

        user: str = Field(
            title="Colleague", pattern="^[0-9]{1,19}$", json_schema_extra={"ref": "user"}
        )
        role: str = Field("", title="Role", max_length=100)

    def on_interest(self, interest: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Add him."""
        user_id = UserId(int(params.user))
        return [AddCoExecutor(interest_id=interest.id, user_id=user_id, role=params.role)]
