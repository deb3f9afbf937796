"""Matrix: rooms of a homeserver become dialogs, through the plain client-server API."""

from hub import Channel, hookimpl
from matrix_channel.channel import MatrixChannel


@hookimpl
def register_channels() -> list[type[Channel]]:
    """One kind of channel."""
    return [MatrixChannel]
