"""This plugin's own words, in the reader's language."""

from __future__ import annotations

from hub import translator_of

translator = translator_of(__package__)
"""Looks texts up in this plugin's catalogue: called with a language."""


def _(text: str) -> str:
    return text


SAID = (
    _("give the mailing a title"),
    _("this mailing has begun: what is being sent stays as it is"),
    _("this mailing has begun already"),
    _("this draft was removed: put it back first"),
    _("only a draft is removed, and put back"),
    _("choose a segment and a channel first"),
    _("this mailing has not begun: send it first"),
    _("this mailing was cancelled: make one like it"),
    _("this mailing is finished: make one like it"),
    _("there is no such mailing"),
    _("somebody changed this mailing meanwhile"),
    _("a time of day is written 21:00"),
    _("this number is not possible"),
    _("it is tried on at most 100 per cent"),
    _("at most 90 per cent are kept out"),
    _("it repeats every 1 to 365 days, weeks or months"),
    _("a moment is written 2027-03-10T09:00"),
    _("a picture has no words for who does not see it"),
    _("a button or a picture stands inside a text: put an empty line before and after it"),
    _("the letter is larger than 100 KB: mail programs cut it off"),
    _("words that look like spam"),
    _("nothing in the letter leads to unsubscribing"),
    _("words are hard to read"),
    _("words are hard to read in the dark"),
    _("a link is not encrypted (http://)"),
    _("half of it is in capitals"),
    _("type the number of people to send it"),
    _("it would go to another number of people now: look, and press again"),
    _("a window is 1 to 365 days"),
    _("a touch is any, first or last"),
    _("numbers cannot be cut by this"),
    _("there is no such number"),
    _("give the letter a title"),
    _("a letter is one's own, a team's or everybody's"),
    _("this command changes personal letters only"),
    _("there is no such letter"),
    _("there is no such version"),
    _("somebody changed this letter meanwhile"),
    _("choose a channel first"),
    _("this mailing does not go by that channel"),
    _("say to which address the test goes"),
    _("a test goes to at most 5 addresses"),
    _("there is no such letter in this mailing"),
    _("a file of a letter has at most 25 MB"),
    _("a letter has at most 10 files"),
    _("there is no such kind of advertising"),
    _("a file of this letter is gone"),
    _("there is no such link"),
    _("the list above has something red: mend that first"),
)
FROZEN = _("{title}: as it was when sent")
"""What the segment of a frozen audience is called."""
STATES = {
    "draft": _("draft"),
    "scheduled": _("waits for its time"),
    "filling": _("is being sent"),
    "sending": _("is being sent"),
    "finished": _("finished"),
    "paused": _("paused"),
    "cancelled": _("cancelled"),
    "removed": _("removed"),
}


SCOPE_WORDS = {"mine": _("mine"), "team": _("my team's"), "all": _("everybody's")}
TEST_STATES = {
    "queued": _("on its way"),
    "claimed": _("on its way"),
    "sending": _("on its way"),
    "sent": _("sent"),
    "delivered": _("delivered"),
    "read": _("read"),
    "failed": _("failed"),
    "suppressed": _("kept back"),
    "unknown": _("not known"),
}
NUMBER_WORDS = {
    "planned": _("Planned"),
    "kept_back": _("Kept back"),
    "waiting": _("Waiting"),
    "sent": _("Sent"),
    "delivered": _("Delivered"),
    "seen": _("Seen, an estimate"),
    "clicked": _("Followed a link"),
    "answered": _("Answered"),
    "leads": _("Leads"),
    "interests": _("Interests begun"),
    "won": _("Interests won"),
    "failed": _("Failed"),
    "unknown": _("Not known"),
    "unsubscribed": _("Unsubscribed"),
    "complained": _("Complained"),
}
REASON_WORDS = {
    "bounced_hard": _("no such address"),
    "invalid_address": _("no such address"),
    "bounced_soft": _("does not take letters now"),
    "delayed": _("delayed, still being tried"),
    "no_address": _("no address"),
    "no_account": _("account not connected"),
    "frequency_cap": _("had enough lately"),
    "window_closed": _("reply window closed"),
    "never_wrote": _("never wrote to this account"),
    "provider_error": _("the provider failed"),
    "spam": _("taken for spam"),
    "too_large": _("too large"),
    "expired": _("too late"),
    "not_delivered_in_time": _("no proof of delivery in time"),
    "not_sent_in_time": _("could not be sent in time"),
    "unknown": _("not known"),
    "other": _("another reason"),
}
REFUSED = ("unsubscribed", "no_consent", "complained", "blocked", "hold_out", "answered")
"""Why somebody did not get it, and nobody should try again."""
CUT_WORDS = {
    "channel": _("By channel"),
    "account": _("By sender"),
    "hour": _("By hour of sending"),
    "variant": _("By wording"),
    "domain": _("By mail domain"),
}
TOUCH_WORDS = {
    "any": _("every mailing that touched the person"),
    "first": _("the first mailing that touched the person"),
    "last": _("the last mailing that touched the person"),
}
