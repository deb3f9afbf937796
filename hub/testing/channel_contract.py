"""The contract of a channel: subclass it, give settings and samples, and pytest does the rest.

    class TestPigeon(ChannelContract):
        channel = PigeonChannel
        proof = ("x-signature",)
        signing_fields = ("signing_key",)

        def settings(self, url): ...            # an account whose vendor is at `url`
        def accepted(self, request): ...        # the vendor's answers, over real HTTP
        def refused(self, request): ...
        def overloaded(self, request): ...
        def message(self, text, number=1): ...  # what the vendor brings
        def sign(self, body): ...               # and how he proves himself

What the capabilities do not claim is not asked. What is asked and not given fails by name; if it
cannot be shown, say so: `exempt = {"echo": "the vendor never sends our messages back"}`.

| rule | checks | asked of |
|------|--------|----------|
| 1 | settings, capabilities, secrets | everybody |
| 2 | lifecycle | everybody |
| 3 | accepted, buttons, edits, deletes, reactions | who sends, and claims them |
| 4, 5 | refused, overloaded | who sends |
| 6 | transport, blocking | who sends |
| 7 | idempotency | `idempotent_send` |
| 8, 9 | inbound, pure | who has `parse` or `replay` |
| 10 | receipts | `receipts` delivered or read |
| 11 | forged | who has `parse` |
| 12 | garbage, unknown | who has `parse` or `replay` |
| 13 | echo | who sends and reads |
| 14 | text out, text in | who sends, who reads |
| 15 | files out, files in | `max_attachment_bytes` |
| 16 | listen | who has `listen` |
"""

from __future__ import annotations

from hub.testing.basic_checks import BasicChecks
from hub.testing.listening_checks import ListeningChecks
from hub.testing.receiving_checks import ReceivingChecks
from hub.testing.sending_checks import SendingChecks


class ChannelContract(BasicChecks, SendingChecks, ReceivingChecks, ListeningChecks):
    """See the module; what to give is documented member by member in `channel_case`."""
