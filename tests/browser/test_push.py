"""Notices on a device that several people use, with a push service that exists in the page alone."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Page, expect

from crm_store.push_devices import devices_of
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.push_service import push_service

pytestmark = [pytest.mark.browser]

# A headless browser reaches no push service; this one answers as the browser would.
PRETEND = """([service, key, secret]) => {
    const kept = () => JSON.parse(sessionStorage.getItem('push') || 'null');
    const made = () => kept() && {
        toJSON: () => ({ endpoint: service + kept(), keys: { p256dh: key, auth: secret } }),
        unsubscribe: async () => { sessionStorage.removeItem('push'); return true; },
    };
    const manager = {
        getSubscription: async () => made(),
        subscribe: async () => {
            const number = Number(sessionStorage.getItem('number') || 0) + 1;
            sessionStorage.setItem('number', String(number));
            sessionStorage.setItem('push', JSON.stringify('phone' + number));
            return made();
        },
    };
    Object.defineProperty(ServiceWorkerRegistration.prototype, 'pushManager', { get: () => manager });
    Object.defineProperty(Notification, 'permission', { get: () => 'granted' });
    Notification.requestPermission = async () => 'granted';
}"""


async def changes_over(page: Page, office: Office, name: str) -> None:
    """Log out, and in as somebody else; who logged out is called no more."""
    await page.goto(office.url + "/settings/notices")
    await page.get_by_role("button", name="Log out", exact=True).last.click()
    await expect(page.locator("#f-password")).to_be_visible()
    await page.wait_for_function("() => !sessionStorage.getItem('push')")
    await office.log_in(page.context, name)
    await page.goto(office.url + "/inbox")


async def test_a_device_calls_whoever_is_logged_in_and_asked_for_it_there(
    office: Office, enter: Enter
) -> None:
    office.runtime.settings.push_allow_private = True

    async def devices(name: str) -> list[bool]:
        return [one.active for one in await office.hands_of(name).read(devices_of)]

    async with push_service() as service:
        browser = service.browser("")
        keys = browser.subscription["keys"]
        page = await enter("Vera")
        # The end of a login, told live, opens pages anew: not in the middle of the next step here.
        await page.context.route("**/live?*", lambda route: route.fulfill(status=204))
        given = [browser.endpoint, keys["p256dh"], keys["auth"]]
        await page.add_init_script(f"({PRETEND})({json.dumps(given)})")
        await page.goto(office.url + "/settings/notices")
        await page.get_by_role("button", name="Notify me on this device").click()
        await expect(page.locator("#devices [data-this]")).to_be_visible()
        assert await devices("Vera") == [True]
        # A colleague at the same computer asked for nothing, and is told nothing.
        await changes_over(page, office, "Oleg")
        await page.goto(office.url + "/settings/notices")
        await expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
        assert (await devices("Vera"), await devices("Oleg")) == ([], [])
        assert await page.evaluate("() => sessionStorage.getItem('push')") is None
        # Whoever asked once is called again, without being asked anew.
        await changes_over(page, office, "Vera")
        me = str(office.users["Vera"])
        holder = "me => JSON.parse(localStorage.getItem('hub-push')).holder === me"
        await page.wait_for_function(holder, arg=me)
        await page.goto(office.url + "/settings/notices")
        await expect(page.locator("#devices [data-this]")).to_be_visible()
        # What he turned off stays so over the next login, too.
        await page.locator("#devices").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
        await changes_over(page, office, "Vera")
        await page.goto(office.url + "/settings/notices")
        await expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
        assert await devices("Vera") == []
