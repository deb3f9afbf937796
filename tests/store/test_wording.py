"""What placeholders stand for in an answer: the work that the dialog is about."""

from __future__ import annotations

from pathlib import Path

from crm_store import wording
from hub import CreateObject, UpdateContact, UserId
from tests.houses import house, message


async def test_an_answer_names_the_interest_and_the_request(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        dialog = (await home.receive(message("1", text="A sail, please")))[0].dialog_id

        async def texts() -> dict[str, str]:
            found = await home.user.read(wording.of_dialog, dialog, UserId(home.user.actor.id))
            return dict(found.texts)

        assert not {"interest.title", "request.number"} & set(await texts())
        for kind, title in (("interest", "Sail 20"), ("request", "Torn sail")):
            values = {"title": title}
            await home.user.do(CreateObject(kind=kind, values=values, dialog_id=dialog))
        said = await texts()
        assert said["interest.title"] == "Sail 20"
        assert int(said["request.number"]) > 0


async def test_the_language_is_the_cards_or_that_of_the_last_words(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        came = await home.receive(message("1", text="Где мой парус?"))
        dialog, contact = came[0].dialog_id, came[0].contact_id

        async def language() -> str:
            me = UserId(home.user.actor.id)
            return (await home.user.read(wording.of_dialog, dialog, me)).language

        assert await language() == "ru"
        await home.receive(message("2", text="Where is my sail?"))
        assert await language() == "en"
        await home.user.do(UpdateContact(contact_id=contact, language="ru"))
        assert await language() == "ru"
