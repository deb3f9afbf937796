"""The author's kit: contracts that a channel and a plugin keep, checked against a real far side.

Needs pytest (`pip install dialoghub[testing]`). Nothing of the product imports it.
"""

from __future__ import annotations

from hub.testing.channel_contract import ChannelContract
from hub.testing.checks import Broken, outcomes
from hub.testing.fake_hub import FakeHub
from hub.testing.far_side import WAIT, FarSide, HttpFarSide, Reply, Request, Scene
from hub.testing.plugin_contract import PluginContract
from hub.testing.real_hub import RunningHub, running_hub, until
from hub.testing.samples import FILE, NOW, TEXTS, outbound

__all__ = [
    "FILE",
    "NOW",
    "TEXTS",
    "WAIT",
    "Broken",
    "ChannelContract",
    "FakeHub",
    "FarSide",
    "HttpFarSide",
    "PluginContract",
    "Reply",
    "Request",
    "RunningHub",
    "Scene",
    "outbound",
    "outcomes",
    "running_hub",
    "until",
]
