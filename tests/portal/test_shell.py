def test_the_current_page_is_marked_in_the_menu(browser):
    page = browser.get("/applications").text

    marked = page.partition('aria-current="page"')
    assert marked[1]
    assert marked[2].partition("</a>")[0].find("Moje aplikacje") > 0


def test_who_is_not_signed_in_sees_no_menu(browser):
    browser.client.delete_cookie("klucznik_portal_session", domain="localhost")

    assert "person-menu" not in browser.get("/signed-out").text
