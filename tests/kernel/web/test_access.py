from kernel.web.access import csrf_exempt, is_csrf_exempt, public, requirement_of, requires


def test_a_view_that_says_nothing_requires_nothing_known():
    assert requirement_of(lambda: "") is None


def test_public_and_requires_are_marks_that_can_be_read():
    assert requirement_of(public(lambda: "")) == "public"
    assert requirement_of(requires("session")(lambda: "")) == "session"


def test_only_marked_views_take_posts_without_a_form_token():
    assert is_csrf_exempt(csrf_exempt(lambda: ""))
    assert not is_csrf_exempt(public(lambda: ""))
