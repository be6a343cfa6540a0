"""A browser on its way through accounts to an application, and what comes of its code."""

from urllib.parse import parse_qs, urlsplit

from tests.idp.provider import CALLBACK, answer_of, trade_code
from tests.idp.visitor import Visitor

READ, WRITE = ("crm", "contacts:read"), ("crm", "contacts:write")


class Walker(Visitor):
    """A browser that follows our pages until an answer goes to the application."""

    def __init__(self, identity_app, browser):
        super().__init__(identity_app)
        self.client = browser.client


def told(response):
    """What the application is told, by a redirect or by the page that forwards."""
    if response.status_code != 200:
        return answer_of(response)
    text = response.get_data(as_text=True).replace("&amp;", "&")
    query = urlsplit(text[text.index(CALLBACK) :].split('"')[0]).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def tokens_of(browser, app, response):
    answer = trade_code(browser.client, app, told(response)["code"])
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def userinfo(browser, token):
    return browser.client.get("/userinfo", headers={"Authorization": f"Bearer {token}"})


def introspect(browser, app, token):
    return browser.client.post("/introspect", data={"token": token}, headers=app.basic).get_json()
