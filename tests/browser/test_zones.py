"""Times by the clock of the one who looks, wherever the computer thinks it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from crm_store.users import user as user_of
from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office

pytestmark = [pytest.mark.browser]
# A day of each change of the clocks among them; Kathmandu is 5:45 ahead.
WALLS = [(2026, 3, 29, 9, 0), (2026, 10, 25, 9, 30), (2026, 12, 31, 23, 59), (2026, 6, 1, 0, 0)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
async def test_tomorrow_morning_is_nine_by_ones_own_clock(
    office: Office, enter: Enter, zone: str
) -> None:
    await office.hands_of("Vera").do(UpdateProfile(time_zone=zone))
    page = await enter("Vera", timezone_id="Pacific/Auckland")
    micros = await page.evaluate("import('hub/inbox/times').then((one) => one.instant('tomorrow'))")
    at = datetime.fromtimestamp(micros / 1e6, UTC)
    assert timedelta(0) < at - datetime.now(UTC) < timedelta(hours=35)
    assert at.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S") == "09:00:00"
    found = await page.evaluate(
        "async (all) => { const { fromWall } = await import('hub/i18n');"
        " return all.map((one) => fromWall(...one)); }",
        [list(one) for one in WALLS],
    )
    assert found == [datetime(*one, tzinfo=ZoneInfo(zone)).timestamp() * 1000 for one in WALLS]


async def test_who_never_chose_a_zone_lives_where_his_browser_is(
    office: Office, enter: Enter
) -> None:
    await office.hands_of("Vera").do(UpdateProfile(time_zone=""))
    page = await enter("Vera", "/settings/profile", timezone_id="Asia/Tokyo")
    await expect(page.locator("#f-time_zone")).to_have_value("Asia/Tokyo")
    assert (await office.system.read(user_of, office.users["Vera"])).time_zone == "Asia/Tokyo"
    # Who has chosen one keeps it on a journey.
    other = await enter("Oleg", "/settings/profile", timezone_id="Asia/Tokyo")
    await expect(other.locator("#f-time_zone")).to_have_value("UTC")
