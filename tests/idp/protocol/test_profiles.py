from idp.protocol.profiles import LEGACY, PROFILES, STANDARD


def test_only_legacy_clients_are_let_off():
    assert PROFILES[STANDARD].pkce_required
    assert not PROFILES[STANDARD].assertion_may_name_token_endpoint
    assert not PROFILES[LEGACY].pkce_required
    assert PROFILES[LEGACY].assertion_may_name_token_endpoint
