"""A hub at real mail servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import Postfix
from tests.wire.email.office import Office, Opening


@pytest.fixture
def opening(
    tmp_path: Path, database_url: str, authority: Authority, dovecot: Dovecot, postfix: Postfix
) -> Opening:
    return Opening(tmp_path, database_url, authority, dovecot, postfix)


@pytest.fixture
async def desk(opening: Opening, mailbox: Mailbox) -> AsyncIterator[Office]:
    async with opening.office(mailbox) as one:
        yield one
