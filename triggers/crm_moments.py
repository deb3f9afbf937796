"""Moments of the customer base: people, leads, interests, requests, tasks, consents, mailings."""

from __future__ import annotations

from hub.rules import Facts
from triggers.moment import fact_moment as _fact


def _is_form(facts: Facts) -> bool:
    return facts.dialog is not None and facts.dialog.channel == "web_form"


PEOPLE = (
    _fact(
        "contact.created", "a contact person appears", "появился контакт", "crm", "contact.created"
    ),
    _fact(
        "contact.changed",
        "a contact person is changed",
        "контакт изменён",
        "crm",
        "contact.changed",
    ),
    _fact(
        "address.bounced",
        "an address turns out to be wrong",
        "адрес оказался неверным",
        "crm",
        "delivery.changed",
        lambda e: e.after == "failed" and e.reason in ("invalid_address", "blocked"),
    ),
    _fact(
        "address.refused",
        "a person forbids us to write",
        "человек запретил писать ему",
        "crm",
        "address.changed",
        lambda e: e.what == "peer_blocked",
    ),
    _fact(
        "lead.rejected",
        "a lead is rejected",
        "лид отклонён",
        "crm",
        "lead.status_changed",
        lambda e: e.after == "rejected",
    ),
    _fact(
        "lead.taken",
        "a lead is taken into work",
        "лид взят в работу",
        "crm",
        "lead.status_changed",
        lambda e: e.after == "in_work" and e.before == "new",
    ),
    _fact(
        "lead.converted",
        "a lead becomes a client",
        "лид стал клиентом",
        "crm",
        "lead.converted",
        lambda e: not e.undone,
    ),
)

WORK = (
    _fact(
        "request.status_changed",
        "a request's status changes",
        "изменилось состояние заявки",
        "crm",
        "request.status_changed",
    ),
    _fact(
        "request.merged",
        "a request goes into another",
        "заявка объединена с другой",
        "crm",
        "request.merged",
        lambda e: not e.undone,
    ),
    _fact(
        "request.deadline_near",
        "a deadline of a request is near",
        "срок заявки близко",
        "crm",
        "request.deadline_near",
    ),
    _fact(
        "request.deadline_missed",
        "a deadline of a request is missed",
        "срок заявки нарушен",
        "crm",
        "request.deadline_missed",
    ),
    _fact(
        "request.deadline_met",
        "a deadline of a request is met",
        "срок заявки соблюдён",
        "crm",
        "request.deadline_met",
    ),
    _fact(
        "request.checklist_done",
        "the checklist of a request is done",
        "чек-лист заявки выполнен",
        "crm",
        "request.checklist_done",
    ),
    _fact(
        "task.status_changed",
        "a task's status changes",
        "изменилось состояние задачи",
        "crm",
        "task.status_changed",
    ),
    _fact(
        "task.done",
        "a task is done",
        "задача сделана",
        "crm",
        "task.status_changed",
        lambda e: e.after == "done",
    ),
    _fact(
        "task.reminded",
        "the reminder of a task comes",
        "пришло время напоминания о задаче",
        "crm",
        "task.reminded",
    ),
    _fact("task.overdue", "a task is overdue", "задача просрочена", "crm", "task.overdue"),
)

SALES = (
    _fact(
        "interest.stage_changed",
        "an interest comes to a stage",
        "интерес перешёл на этап",
        "crm",
        "interest.stage_changed",
    ),
    _fact(
        "interest.checklist_done",
        "the checklist of a stage is done",
        "чек-лист этапа выполнен",
        "crm",
        "interest.checklist_done",
    ),
    _fact("interest.won", "an interest is won", "интерес выигран", "crm", "interest.won"),
    _fact("interest.lost", "an interest is lost", "интерес проигран", "crm", "interest.lost"),
    _fact(
        "interest.reopened",
        "an interest is opened again",
        "интерес открыт снова",
        "crm",
        "interest.reopened",
    ),
    _fact(
        "lead.status_changed",
        "a lead's status changes",
        "изменилось состояние лида",
        "crm",
        "lead.status_changed",
    ),
)

MARKETING = (
    _fact(
        "segment.entered",
        "a person comes into a segment",
        "человек вошёл в сегмент",
        "crm",
        "segment.entered",
    ),
    _fact(
        "segment.left",
        "a person leaves a segment",
        "человек вышел из сегмента",
        "crm",
        "segment.left",
    ),
    _fact(
        "consent.asked",
        "a person is asked to confirm a subscription",
        "у человека спросили подтверждение подписки",
        "crm",
        "consent.asked",
    ),
    _fact(
        "consent.given",
        "a person agrees to advertising",
        "человек согласился на рекламу",
        "crm",
        "consent.given",
    ),
    _fact(
        "consent.withdrawn",
        "a person wants no more advertising",
        "человек отказался от рекламы",
        "crm",
        "consent.withdrawn",
    ),
    _fact(
        "consent.limited",
        "a person wants advertising less often",
        "человек просит присылать рекламу реже",
        "crm",
        "consent.limited",
        lambda e: e.days > 0,
    ),
    _fact(
        "address.suppressed",
        "an address takes no more advertising",
        "адрес больше не принимает рекламу",
        "crm",
        "address.suppressed",
    ),
    _fact(
        "mailing.opened",
        "a letter of a mailing is opened (as far as can be told)",
        "письмо рассылки открыто (насколько это видно)",
        "crm",
        "mailing.opened",
    ),
    _fact(
        "mailing.clicked",
        "a link of a mailing is clicked",
        "нажали ссылку рассылки",
        "crm",
        "mailing.clicked",
        lambda e: not e.machine,
    ),
    _fact(
        "mailing.answered",
        "a mailing is answered",
        "ответили на рассылку",
        "crm",
        "mailing.answered",
    ),
    _fact(
        "client.merged", "two clients become one", "объединены два клиента", "crm", "client.merged"
    ),
    _fact(
        "contact.merged",
        "two contact persons become one",
        "объединены два контакта",
        "crm",
        "contact.merged",
    ),
)

FORM = _fact(
    "form.submitted",
    "a form is sent",
    "отправлена форма",
    "dialog",
    "message.received",
    holds=_is_form,
    needs=frozenset({"dialog"}),
)

CRM = (*PEOPLE, *WORK, *SALES, *MARKETING, FORM)
