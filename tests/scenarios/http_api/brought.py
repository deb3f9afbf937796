"""The endpoints that bundled plugins bring, each with the right it needs."""

from __future__ import annotations

from plugins import contracts, csat, mailings, quick_replies

PLUGINS = (
    ("contracts", contracts),
    ("csat", csat),
    ("mailings", mailings),
    ("quick_replies", quick_replies),
)

# A new one belongs here, or the first test of test_rights.py fails.
BROUGHT = {
    "GET /contracts.contract": "contacts.view",
    "POST /contracts.contract": "contacts.edit",
    "GET /contracts.contract/export": "lists.export",
    "GET /contracts.contract/{object_id}": "contacts.view",
    "PATCH /contracts.contract/{object_id}": "contacts.edit",
    "DELETE /contracts.contract/{object_id}": "contacts.edit",
    "POST /contracts.contract/{object_id}/restore": "contacts.edit",
    "GET /contracts.contract/{object_id}/history": "contacts.view",
    "GET /csat/report": "rules.view",
    "GET /mailings/creatives": "mailings.view",
    "GET /mailings/library": "mailings.view",
    "POST /mailings/library": "mailings.send",
    "GET /mailings/library/{letter}": "mailings.view",
    "PUT /mailings/library/{letter}": "mailings.send",
    "DELETE /mailings/library/{letter}": "mailings.send",
    "POST /mailings/library/{letter}/copy": "mailings.send",
    "POST /mailings/library/{letter}/mailing": "mailings.send",
    "POST /mailings/library/{letter}/restore": "mailings.send",
    "GET /mailings/library/{letter}/versions": "mailings.view",
    "GET /mailings/library/{letter}/versions/{version}": "mailings.view",
    "GET /mailings/mailings": "mailings.view",
    "POST /mailings/mailings": "mailings.send",
    "GET /mailings/mailings/{mailing}": "mailings.view",
    "PUT /mailings/mailings/{mailing}": "mailings.send",
    "POST /mailings/mailings/{mailing}/again": "mailings.send",
    "GET /mailings/mailings/{mailing}/check": "mailings.view",
    "POST /mailings/mailings/{mailing}/links": "mailings.send",
    "POST /mailings/mailings/{mailing}/people": "mailings.send",
    "POST /mailings/mailings/{mailing}/restore": "mailings.send",
    "GET /mailings/mailings/{mailing}/results": "mailings.view",
    "POST /mailings/mailings/{mailing}/results/people": "mailings.send",
    "POST /mailings/mailings/{mailing}/send": "mailings.send",
    "PUT /mailings/mailings/{mailing}/state": "mailings.send",
    "POST /mailings/mailings/{mailing}/test": "mailings.send",
    "GET /mailings/mailings/{mailing}/tests": "mailings.view",
    "GET /mailings/mailings/{mailing}/versions": "mailings.view",
    "GET /mailings/mailings/{mailing}/versions/{version}": "mailings.view",
    "GET /mailings/mailings/{mailing}/ways": "mailings.view",
    "GET /mailings/obligatory": "mailings.view",
    "PUT /mailings/obligatory": "system.manage",
    "POST /mailings/files": "mailings.send",
    "POST /mailings/pictures": "mailings.send",
    "GET /mailings/results": "mailings.view",
    "GET /mailings/senders": "mailings.view",
    "PUT /mailings/senders/{account}": "mailings.send",
    "POST /mailings/transactional": "mailings.send",
    "GET /quick_replies/export": "",
    "POST /quick_replies/import": "",
    "GET /quick_replies/replies": "",
    "POST /quick_replies/replies": "",
    "GET /quick_replies/replies/{reply}": "",
    "PUT /quick_replies/replies/{reply}": "",
    "DELETE /quick_replies/replies/{reply}": "",
    "GET /quick_replies/replies/{reply}/versions": "",
    "POST /quick_replies/replies/{reply}/restore": "",
}

# What an endpoint is described to need no right for, and a caller needs one for what he sends there:
# a reply of one's own; a shared one asks for another.
OF_WHAT_IS_SENT = {"POST /quick_replies/replies": "dialogs.answer"}
