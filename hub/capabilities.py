"""What a channel can do, as data: the core obeys it, so no `if channel == ...` is ever needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do. The core obeys it; README's feature matrix is made from it.

    `address_kind` is the `Address.kind` of its people. `max_text` counts characters, 0 means
    no limit. `max_attachment_bytes` limits one file, 0 means no files at all;
    `media_limits` has what is narrower for some types (`("image/*", 5_000_000)`, the first that
    fits counts), and `max_files_bytes` limits all files of one message together, 0 where the
    vendor does not count them together.
    `media_types` are accepted types, with `image/*` style wildcards. `receipts` is the best
    status the vendor ever reports: none, sent, delivered or read. `idempotent_send` promises
    that a repeated send with one idempotency key reaches the person once, and `idempotent_for`
    how long the provider remembers the key (None: for ever). `ordered` asks that
    messages of one dialog leave strictly one after another. `initiates` says whether we may
    write first. `reply_window` is how long after the person's last message we may answer
    freely. `threads` says that one person can have several dialogs side by side. `sends` is
    False for a channel that only takes in: its dialogs take notes, no answers. `buttons` is how
    many one message may have, `button_label` how many characters of a label people see and
    `button_bytes` how long a button's payload may be in UTF-8 (0: as long as they like). `replies` says that the person sees which message an answer is
    to. `edit_window` and `delete_window` say how long after sending a message of ours may be
    changed or taken back there (None: for ever). `reaction_choices` are the reactions that the
    vendor takes. `writing_allows` says that a person who writes to us takes our messages again
    whatever he had said before; where a word is needed for that (START), it is False. `vouches`
    says that nobody can write in another's name there, so that a sender's address is verified; it
    is False for letters and forms, in which people write what they like. `formatting` says that
    the channel turns the signs of `hub.formatted` (`*bold*`, `[words](https://…)`) into its own
    formatting; elsewhere they stay in the text as they are.
    """

    address_kind: str
    max_text: int = 0
    max_attachment_bytes: int = 0
    max_attachments: int = 10
    media_types: tuple[str, ...] = ("*/*",)
    media_limits: tuple[tuple[str, int], ...] = ()
    max_files_bytes: int = 0
    html: bool = False
    subject: bool = False
    copies: bool = False
    threads: bool = False
    receipts: str = "none"
    idempotent_send: bool = False
    idempotent_for: timedelta | None = None
    ordered: bool = True
    rate_per_second: float = 30.0
    connections: int = 4
    send_timeout: timedelta = timedelta(seconds=30)
    initiates: bool = False
    reply_window: timedelta | None = None
    templates: bool = False
    buttons: int = 0
    button_label: int = 0
    button_bytes: int = 0
    replies: bool = False
    edits: bool = False
    edit_window: timedelta | None = None
    deletes: bool = False
    delete_window: timedelta | None = None
    reactions: bool = False
    reaction_choices: tuple[str, ...] = ("👍", "❤️", "😂", "😮", "😢", "🙏")
    writing_allows: bool = True
    groups: bool = False
    typing: bool = False
    sends: bool = True
    vouches: bool = False
    formatting: bool = False

    def takes_type(self, media_type: str) -> bool:
        """Say whether files of a media type are taken."""
        return any(_fits(one, media_type) for one in self.media_types)

    def limit_of(self, media_type: str) -> int:
        """Give how many bytes one file of a media type may have."""
        narrower = (most for one, most in self.media_limits if _fits(one, media_type))
        return min(next(narrower, self.max_attachment_bytes), self.max_attachment_bytes)


class Abilities(dict[str, Capabilities]):
    """What each kind of channel can do, by its name; `of` says it of one account."""

    def __init__(
        self,
        known: Mapping[str, Capabilities],
        own: Mapping[str, Callable[[Mapping[str, object]], Capabilities]] | None = None,
    ) -> None:
        super().__init__(known)
        self._own = own or {}

    def of(self, channel: str, settings: Mapping[str, object]) -> Capabilities | None:
        """Give what an account with these settings can do; None where its plugin is gone."""
        own = self._own.get(channel)
        return own(settings) if own is not None else self.get(channel)


def _fits(pattern: str, media_type: str) -> bool:
    plain = media_type.partition(";")[0].strip().lower()
    return pattern in ("*/*", plain) or (pattern.endswith("/*") and plain.startswith(pattern[:-1]))
