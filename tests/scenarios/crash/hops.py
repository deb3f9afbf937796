"""Every hop of the way in and of the way out, in the order in which a message passes them.

A hop is a commit (named after the command that it commits) or something that the world sees: bytes
on the disk, a call of the wire, an answer to a provider. The process dies just before and just
after each one. `test_hops.py` fails for a hop that is passed and does not stand here.
"""

from __future__ import annotations

from dataclasses import dataclass

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process dies. `early`: while it takes up what an earlier one has left."""

    hop: str
    side: str
    early: bool = False

    def __str__(self) -> str:
        return f"{self.side} {self.hop}"


IN = (
    "bytes",  # a file's bytes are in the blob store, nothing names them yet
    "Receive",  # message, dialog, contact, index, facts
    "answer",  # the provider is told
    "Quarantine",  # what nobody can read is kept as it came
    "AdvanceMark",  # pull channels: arrivals and mark in one commit
    "RecordArrival",  # a reaction, in the same batch
    "next batch",  # the pull channel is told that the batch is safe
    "fetch",  # a file that came as a reference is fetched from the provider
    "SettleAttachment",
)
FACTS = (
    "plugin",  # `event_occurred` of a plugin
    "RunJob",  # what the plugin asked for
    "MoveCursor",
    "ClaimJobs",
    "job",
    "SettleJob",
    "webhook queued",
    "webhook claimed",
    "webhook posted",
    "webhook settled",
)
OUT = (
    "SendMessage",  # message, delivery and fact: the outbox
    "ClaimDeliveries",
    "StartDeliveries",  # committed immediately before the wire
    "wire",
    "SettleDelivery",
    "RecordReceipt",
    "ReactToMessage",  # what is wanted of the provider, and the job that carries it
    "act",  # the call: an edit, a take-back or a reaction, each of which may be made again
    "SettleAct",
)

UNSURE = frozenset(
    {
        Death("StartDeliveries", AFTER),
        Death("wire", BEFORE),
        Death("wire", AFTER),
        Death("SettleDelivery", BEFORE),
    }
)
"""Deaths after which nobody can know whether the message left: it must be called unknown."""

HOUSEWORK = frozenset(
    {
        # Made once by the test itself, or by people: one command, one commit, like SendMessage.
        "CreateUser",
        "CreateAccount",
        "SaveWebhook",
        # Health and failures of a part: said again at the next occasion.
        "RecordHealth",
        "ReportPluginFailure",
        "ParkEvent",
        # What a provider says of an account: asked again at the next occasion.
        "RecordConnection",
        "RecordInspection",
        "SaveTemplates",
        # Timers: what they find due stays due.
        "WakeDialogs",
        "CarryMoves",
        "MailNotices",
        "RemindOfTasks",
        "RouteWaiting",
        "SweepRetention",
        "TurnAbsences",
        "WatchDeadlines",
        # Rules: the runs and the engine's place in the journal are one commit, and what is to be
        # paused is found so again.
        "CarryOut",
        "PauseRule",
        # A plugin's notice to colleagues: its key makes a repeat harmless.
        "Notify",
        # What is derived of cards and messages: computed again from what is stored.
        "NoteSaid",
        "TakeAnswers",
        "RefreshDuplicates",
        "RefreshSegment",
        # The mark of a day goes with the commit that counts it.
        "CountFunnels",
        # Classes are counted anew from what was sold, each night.
        "ClassifyClients",
        "SettleClasses",
        # The other way to end a quarantined input; one command of a person.
        "SettleQuarantine",
        # Files of exports: a job that died begins its file anew, what is stale is found so again.
        "ReportExport",
        "SweepExports",
        # StartDeliveries for one, which nobody gives but the demo.
        "StartSending",
        # A rate: a token that a death wastes makes one message a moment later.
        "TakeToken",
        # Opened by a browser, not a step of a message.
        "OpenSession",
        "UsePasskey",
        "NoteTurnedAway",
        "TouchMany",
        # Asked for again by the next browser that subscribes.
        "SavePushKey",
    }
)
"""Commits that are no hop of a message: a kill leaves them undone, and they are made again."""

RECOVERY = (
    # Each finds the delivery that the death before it left in `sending`.
    Death("wire", AFTER),
    Death("ExpireLeases", BEFORE, early=True),
    Death("ExpireLeases", AFTER, early=True),
)


def deaths(hops: tuple[str, ...]) -> list[Death]:
    """Both sides of each hop."""
    return [Death(hop, side) for hop in hops for side in (BEFORE, AFTER)]


CHAINS: dict[str, list[Death]] = {
    "in": deaths(IN),
    "facts": deaths(FACTS),
    "out": [*deaths(OUT), *RECOVERY],
}
