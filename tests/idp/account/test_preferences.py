from idp.account import preferences


def test_a_worker_has_nobody_in_front_of_it(identity_app):
    assert (preferences.language(), preferences.time_zone()) == (None, None)


def test_a_stranger_has_no_preferences_and_none_are_kept(identity_app):
    with identity_app.test_request_context():
        preferences.save_language("pl")
        assert (preferences.language(), preferences.time_zone()) == (None, None)
