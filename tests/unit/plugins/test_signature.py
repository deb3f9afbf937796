"""The step that the signature plugin gives through `register_transforms`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hub import Address
from hub.testing import outbound
from plugins import signature

TO = Address(kind="email", value="vera@example.org")


def facts(*, letters: bool = True, author: str = "Boris\nSales", account: str = "Shop") -> Any:
    person = SimpleNamespace(signature=author) if author else None
    return SimpleNamespace(
        letters=letters, author=person, account=SimpleNamespace(signature=account)
    )


def test_a_letter_carries_the_agents_signature_and_the_accounts() -> None:
    [step] = signature.register_transforms()
    signed = step.apply(outbound(TO, "Hello", html="<p>Hello</p>"), facts(author="Boris <b>"))
    assert signed.text == "Hello\n\n-- \nBoris <b>\nShop"
    assert signed.html.endswith("-- <br>Boris &lt;b&gt;<br>Shop</div>")


def test_a_machines_letter_carries_nobodys_name_and_a_messenger_nothing() -> None:
    [step] = signature.register_transforms()
    automatic = step.apply(outbound(TO, "Received", automated=True), facts())
    assert automatic.text == "Received\n\n-- \nShop"
    message = outbound(TO, "Hello")
    assert step.apply(message, facts(letters=False)) is message
    assert step.apply(message, facts(author="", account=" ")) is message
