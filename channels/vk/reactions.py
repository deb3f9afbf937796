"""VK's numbered reactions as emoji.

VK names its reactions by number and publishes them as pictures (messages.getReactionsAssets),
so the table is ours; a number that is not in it is shown as a number.
"""

from __future__ import annotations

EMOJI = dict(enumerate("❤🔥😂👍💩❓😭😡👎👌😃🤔🙏😘😍🎉", start=1))
NUMBERS = {emoji: number for number, emoji in EMOJI.items()}
CHOICES = tuple(one for one in EMOJI.values() if one not in "💩😡")
"""What a colleague may react with."""


def emoji_of(number: int) -> str:
    """Give the emoji of a reaction."""
    return EMOJI.get(number, f"#{number}")


def number_of(emoji: str) -> int:
    """Give the number of a reaction, 0 where VK has none for it."""
    return NUMBERS.get(emoji.replace("\ufe0f", ""), 0)
