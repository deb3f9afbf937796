"""Templates as a provider keeps them: what they say, and whether it lets them be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.messages import Button


class TemplateState(StrEnum):
    """What the provider thinks of a template; only an approved one can be sent."""

    APPROVED = "approved"
    PENDING = "pending"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One language of one template of an account's catalogue.

    `header`, `body` and `footer` hold the variables as `{{name}}`, also where the vendor
    numbers them; `variables` gives their names in the order to be asked for. `media` is the
    kind of a header that is a file (image, video, document). `reference` is the vendor's own
    name of it, where sending needs more than `name` and `language`. `reason` says why it was
    rejected.
    """

    name: str
    language: str = ""
    category: str = ""
    header: str = ""
    media: str = ""
    body: str = ""
    footer: str = ""
    variables: tuple[str, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    state: TemplateState = TemplateState.APPROVED
    reason: str = ""
    reference: str = ""
