from idp.protocol import acr


def test_a_higher_class_answers_for_a_lower_one():
    assert acr.acceptable([acr.SINGLE_FACTOR]) == acr.LOWEST_FIRST
    assert acr.acceptable([acr.TWO_FACTOR]) == (acr.TWO_FACTOR,)


def test_unknown_classes_ask_for_nothing():
    assert acr.acceptable(["1", "2"]) is None
    assert acr.satisfies(acr.SINGLE_FACTOR, None)


def test_a_mailed_code_is_never_two_factors():
    assert not acr.satisfies(acr.MAIL_CODE, acr.acceptable([acr.TWO_FACTOR]))
