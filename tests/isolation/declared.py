"""What each operation of the API has to demand, read from its address: not from what it says itself.

So a permission that is taken from an operation, or another one put in its place, is noticed.
"""

from tests.isolation.requests import OPERATIONS, Described

# What is about oneself, or whoever is at home may see.
WITHOUT = {
    *("get_myself", "list_my_contexts", "list_my_permissions", "create_account"),
    *("accept_membership", "leave_account", "get_account", "list_applications"),
}
# What stays when a person takes back their consent, so that no application of somebody else's does it.
BY_OURS_ALONE = {
    *("create_account", "accept_membership", "leave_account"),
    *("create_api_key", "change_api_key", "rotate_api_key", "close_account", "hand_account_over"),
}
# Whoever does these needs more than the permission: all that the role in question gives.
GIVING = {
    *("add_user", "set_assignments", "block_user", "unblock_user", "end_sessions_of_user"),
    *("remove_user", "create_role", "change_role", "remove_role", "tick_permissions"),
    *("create_api_key", "change_api_key", "rotate_api_key", "revoke_api_key"),
    *("invite", "send_invitation"),
}
FOR_ADMINS = {"close_account", "hand_account_over", "get_configuration", "put_configuration"}
# Where power over one company is enough: for that company, or for what belongs to it alone.
ON_ONE_COMPANY = {"get_company", "change_company"}
NARROWED = {
    *("list_companies", "list_users", "get_user", "add_user", "change_user", "remove_user"),
    *("set_assignments", "block_user", "unblock_user", "end_sessions_of_user"),
    "inform_user",
    *("list_invitations", "get_invitation", "invite", "send_invitation", "revoke_invitation"),
}
# Nobody but a person, who proved themselves just now or could.
FOR_PEOPLE_ALONE = {"account", "api-keys"}

_PREFIX = "/accounts/{account}"
_READABLE = {"audit", "clients", "companies", "roles", "users"}
_UNDER = {"": "account", "hand-over": "account", "configuration": "account", "permissions": "roles"}


def for_applications(operation: Described) -> bool:
    """Whether it is an application's own business, in accounts that it names."""
    return operation.path.startswith("/provisioning/")


def permission_of(operation: Described) -> str | None:
    """The permission that its address calls for."""
    if operation.id in WITHOUT or for_applications(operation):
        return None
    rest = operation.path.removeprefix(_PREFIX).strip("/").split("/")[0]
    noun = _UNDER.get(rest, rest)
    reads = operation.method == "GET" and noun in _READABLE
    return f"{noun}:{'read' if reads else 'manage'}"


def taken_by(operation: Described) -> set[str]:
    """The kinds of credentials that it has to take, and no others."""
    if for_applications(operation):
        return {"client"}
    if not in_an_account(operation):
        return {"person"}
    noun = (permission_of(operation) or ":").split(":")[0]
    is_for_people = noun in FOR_PEOPLE_ALONE and operation.id != "change_account"
    return {"person"} if is_for_people else {"person", "key"}


def in_an_account(operation: Described) -> bool:
    return operation.path.startswith(_PREFIX)


IN_AN_ACCOUNT = [one for one in OPERATIONS if in_an_account(one)]
ABOUT_ONESELF = [one for one in OPERATIONS if not in_an_account(one) and not for_applications(one)]
OF_APPLICATIONS = [one for one in OPERATIONS if for_applications(one)]
