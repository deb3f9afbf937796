"""What rules can do with dialogs, leads and words: each action is a few lines over public commands.

Nothing here is privileged. A plugin of yours adds its own beside these by the same hook.
"""

from __future__ import annotations

from hub import Action, Recipe, hookimpl
from plugins.crm_actions.calls import CallWebhook, Publish
from plugins.crm_actions.dialogs import (
    AddNoteToDialog,
    Assign,
    Close,
    Reopen,
    Route,
    SetDialogPriority,
    SetStatus,
    Snooze,
    Tag,
    ToSubstitute,
    Untag,
)
from plugins.crm_actions.leads import ChangeTheLead, MakeLead, RejectTheLead, TakeTheLead
from plugins.crm_actions.objects import (
    ChangeAnObject,
    LinkToDialog,
    MakeObject,
    TagClient,
)
from plugins.crm_actions.people import (
    IntoSegment,
    MakeClient,
    OutOfSegment,
    Reject,
    StopAddress,
    Subscribe,
    Unsubscribe,
)
from plugins.crm_actions.recipes import RECIPES
from plugins.crm_actions.requests import RunWork, SetStatusOfRequest, StartChecklist
from plugins.crm_actions.sales import AddParticipant, Lose, SetStage, Win
from plugins.crm_actions.words import AskForData, BlockSender, ForwardByMail, SendByAnyWay, SendText
from plugins.crm_actions.work import MakeInterest, MakeOpen, MakeTask, NotifyColleagues


@hookimpl
def register_actions() -> list[type[Action]]:
    """Give the actions."""
    return [
        SendText,
        SendByAnyWay,
        AskForData,
        ForwardByMail,
        MakeLead,
        ChangeTheLead,
        TakeTheLead,
        RejectTheLead,
        MakeObject,
        MakeTask,
        MakeOpen,
        MakeInterest,
        NotifyColleagues,
        ChangeAnObject,
        LinkToDialog,
        TagClient,
        Assign,
        Route,
        ToSubstitute,
        Tag,
        Untag,
        SetDialogPriority,
        SetStatus,
        Close,
        Reopen,
        Snooze,
        AddNoteToDialog,
        BlockSender,
        SetStage,
        Win,
        Lose,
        AddParticipant,
        SetStatusOfRequest,
        StartChecklist,
        Subscribe,
        Unsubscribe,
        StopAddress,
        IntoSegment,
        OutOfSegment,
        MakeClient,
        Reject,
        CallWebhook,
        Publish,
        RunWork,
    ]


@hookimpl
def register_recipes() -> list[Recipe]:
    """Give ready rules."""
    return RECIPES
