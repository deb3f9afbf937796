"""What rules may ask and do, line by line: a name that goes away is noticed here."""

from __future__ import annotations

from hub.filters import Operator
from hub.nouns import CORE_KINDS
from hub.rule_words import words_in
from plugins import crm_actions, csat
from triggers.definition import CANCELS, ONCE
from triggers.vocabulary import Vocabulary, make_vocabulary

FIELDS = {
    "text, language, length": "message.text message.language message.length",
    "files, author, automatic": "message.files message.author message.automated",
    "addresses, subject, headers": "message.from message.from_domain message.to message.subject"
    " message.headers",
    "button, label with its certainty": "message.button message.label message.label_confidence",
    "channel, account, status": "dialog.channel dialog.account dialog.status",
    "assignee, team, on shift, absent": "dialog.assignee dialog.team dialog.assignee_absent",
    "priority, tags, counts": "dialog.priority dialog.tags dialog.inbound_count",
    "minutes, by the clock or working": "dialog.waiting_minutes dialog.waiting_working_minutes"
    " dialog.silent_minutes",
    "hours, holidays": "time.working time.workday time.hour time.weekday",
    "load, the dialog before, first contact": "dialog.assignee_load dialog.previous_closed_at"
    " contact.first_ever",
    "known, client's status, segment, responsible": "contact.known client.status"
    " contact.segments client.owner",
    "support level, last purchase": "client.level request.level client.last_purchase",
    "open cards with pipeline and stage": "interest.exists interest.pipeline interest.stage"
    " request.exists lead.exists",
    "sum, source, completeness": "interest.amount client.source client.completeness",
    "consent, last contact, duplicates": "dialog.advertising contact.last_at contact.duplicates",
    "mark, outside event": "csat.mark outside.name outside.amount outside.covers",
}
ACTIONS = {
    "make cards": "create_lead create_request create_interest create_task create_client"
    " create_object",
    "attach, change, stage": "attach change_object set_stage win lose set_request_status",
    "status, priority, tags": "set_status close reopen snooze set_priority tag untag",
    "assign": "assign route to_substitute add_participant",
    "reject, note, checklist": "set_aside reject_lead block_sender note start_checklist",
    "words": "send_message send_elsewhere forward notify",
    "consent, segments": "subscribe unsubscribe suppress_address add_to_segment"
    " remove_from_segment",
    "outside": "call_webhook run_job",
}
OPERATORS = (
    "equals not_equals in not_in contains starts matches words empty greater less between changed"
    " changed_to changed_from older_than within_next within_last"
)


def vocabulary() -> Vocabulary:
    actions = [("crm_actions", one) for one in crm_actions.register_actions()]
    actions += [("csat", one) for one in csat.register_actions()]
    fields = [("csat", one) for one in csat.register_fields()]
    return make_vocabulary(kinds=CORE_KINDS.values(), facts=[], fields=fields, actions=actions)


def test_every_field_that_rules_ask_for_is_there() -> None:
    known = vocabulary().fields
    assert [one for line in FIELDS.values() for one in line.split() if one not in known] == []
    for one in known.values():
        assert one.translations.get("ru"), one.name


def test_every_action_is_there_in_both_languages() -> None:
    known = vocabulary().actions
    names = [f"crm_actions.{one}" for line in ACTIONS.values() for one in line.split()]
    assert [one for one in [*names, "csat.ask"] if one not in known] == []
    for name, one in known.items():
        assert one.translations.get("ru"), name


def test_every_operator_guard_and_ending_is_there() -> None:
    assert set(OPERATORS.split()) <= {one.value for one in Operator}
    assert {"dialog", "object", "contact", "contact_day", "dialog_day", "client"} <= set(ONCE)
    assert {"client_answers", "agent_answers", "status_changes", "closed"} <= set(CANCELS)


def test_a_number_that_stands_for_something_is_chosen_by_words() -> None:
    for language, words in (("en", ["low", "high"]), ("ru", ["низкий", "высокий"])):
        actions = {one["name"]: one for one in words_in(vocabulary(), language)["actions"]}
        shown = actions["crm_actions.set_priority"]["params"]["properties"]["priority"]["choices"]
        assert [one["name"] for one in shown] == ["-1", "0", "1", "2"]
        assert [shown[0]["label"], shown[2]["label"]] == words
