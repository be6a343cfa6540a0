"""What the API says of itself is true: whatever its description allows or forbids, no answer is a 5xx
or of another form than it says.

The operations are read from the description, so a new one is tried without being named.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from idp.provisioning import service as provisioning
from kernel.limits import Window
from tenants.api import gate
from tests import programs
from tests.conftest import MakeDatabase
from tests.idp import provider
from tests.idp.provider import ISSUER
from tests.isolation.estate import an_estate
from tests.tenants.api.speaking import AUDIENCE, Speaker, World, a_world

pytestmark = [pytest.mark.security("20.6", "15.1", "12.3"), pytest.mark.product("TEN-16")]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ENDLESS = Window("endless", limit=10**9, every=timedelta(days=1))


# Whatever says that it is the asker's fault, 413 too.
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}}}


def narrowed(document: dict[str, Any], slots: dict[str, str]) -> dict[str, Any]:
    """The description as it is for one admin: what there is stands in the gaps of the requests."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                _narrow_body(body, schemas, slots["account"])
            # Credentials are put into each request below.
            operation["x-taken"] = [name for way in operation.pop("security") for name in way]
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" or parameter["name"] == "account":
                    parameter["schema"] = {"enum": [slots[parameter["name"]]]}
    return document


def _narrow_body(body: dict[str, Any], schemas: dict[str, Any], account: str) -> None:
    schema = schemas[body["schema"]["$ref"].rpartition("/")[2]]
    if "account" in schema.get("properties", {}):
        # A copy: an answer of the same form may name another account.
        properties = schema["properties"] | {"account": {"enum": [account]}}
        body["schema"] = schema | {"properties": properties}


class Tried:
    """An account with something of everything, and its admin, who tries everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.estate = an_estate(world)
        self.admin = self.an_admin()
        self.program = a_program(world)
        answer = world.app.test_client().get("/api/openapi.json")
        document = narrowed(answer.json or {}, self.estate.slots)
        config = schemathesis.Config.from_dict(CONFIG)
        self.schema = schemathesis.openapi.from_dict(document, config=config)
        self.operations: dict[str, Any] = {
            each.ok().label: each.ok() for each in self.schema.get_all_operations()
        }

    def an_admin(self) -> Speaker:
        # Signed in long ago: the account is not closed in the middle of it.
        return self.world.admin(self.estate.account, signed_in_ago=timedelta(hours=1))

    def appoint(self) -> None:
        """Let there be an admin, whatever the last request did: they may have left."""
        if self.admin.get(f"/accounts/{self.estate.account.id}").status_code != 200:
            self.admin = self.an_admin()

    def token_for(self, operation: Any) -> str:
        """Of whoever the operation lets in: the admin, or an application for itself."""
        taken = operation.definition.raw["x-taken"]
        return self.program if taken == ["client"] else str(self.admin.token)

    def version_of(self, path: str) -> str:
        """The ETag of what stands at this address, or above it."""
        while path:
            answer = self.admin.get(path)
            if "ETag" in answer.headers:
                return str(answer.headers["ETag"])
            path = path.rpartition("/")[0]
        return '"1"'


def a_program(world: World) -> str:
    """The token of an application that the account has, and that provisions."""
    program = provider.an_app(application="crm", audiences=(AUDIENCE,), scopes=("provisioning",))
    answer = provider.trade(
        world.app.test_client(), program, "client_credentials", resource=AUDIENCE
    )
    return str(answer.json["access_token"])


@pytest.fixture(scope="module")
def tried(make_database: MakeDatabase) -> Iterator[Tried]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gate, "PER_CALLER", ENDLESS)
        patched.setattr(gate, "PER_ACCOUNT", ENDLESS)
        patched.setattr(provisioning, "PER_CLIENT", ENDLESS)
        patched.setattr(provisioning, "PER_ACCOUNT", ENDLESS)
        for app in programs.identity(make_database):
            # A fault shows as the 5xx that a program would get.
            app.config["TESTING"] = False
            yield Tried(a_world(app))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)
@given(data=st.data())
def test_the_description_is_kept(tried: Tried, mode: GenerationMode, data: st.DataObject) -> None:
    tried.appoint()
    name = data.draw(st.sampled_from(sorted(tried.operations)), label="operation")
    operation = tried.operations[name]
    case = data.draw(operation.as_strategy(generation_mode=mode), label="case")
    if mode is GenerationMode.POSITIVE and "If-Match" in case.headers:
        case.headers["If-Match"] = tried.version_of(case.formatted_path)

    case.call_and_validate(
        base_url=f"{ISSUER}/api/v1",
        headers={"Authorization": f"Bearer {tried.token_for(operation)}"},
        app=tried.world.app,
        checks=CHECKS if mode is GenerationMode.NEGATIVE else CHECKS[:-1],
    )
