"""The description of an API says all that the API does."""

import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from kernel.api import openapi
from tests.kernel.api.folders import api

SCHEMES = {"name": {"type": "http", "scheme": "bearer"}}


@pytest.fixture(scope="module")
def document():
    found = openapi.document(
        api, server="https://id.example", described_at="https://id.example/d", schemes=SCHEMES
    )
    return json.loads(json.dumps(found))


def test_it_is_openapi_3_1_with_every_operation_in_it(document):
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "https://id.example/api/v1"}]
    described = {
        said["operationId"] for paths in document["paths"].values() for said in paths.values()
    }
    assert described == {operation.id for operation in api.operations}


def test_every_reference_leads_somewhere(document):
    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            for inner in value.values():
                yield from references(inner)
        if isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in set(references(document)):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_bodies_take_nothing_unknown(document):
    schema = document["components"]["schemas"]["FolderDraft"]

    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name"]


def test_a_change_in_part_has_no_defaults(document):
    fields = document["components"]["schemas"]["FolderChange"]["properties"]

    assert fields.keys() == {"name", "note"}
    assert [name for name, field in fields.items() if "default" in field] == []


def test_parameters_say_what_may_stand_where(document):
    said = document["paths"]["/folders/{folder}"]["patch"]["parameters"]

    assert [(each["name"], each["in"], each["required"]) for each in said] == [
        ("folder", "path", True),
        ("If-Match", "header", True),
    ]
    query = document["paths"]["/folders"]["get"]["parameters"]
    cursor = next(each for each in query if each["name"] == "cursor")
    # A parameter is there or not; it is never null.
    assert cursor["schema"]["type"] == "string"
    assert "default" not in cursor["schema"]


def test_a_body_comes_with_an_example_made_of_its_fields(document):
    content = document["paths"]["/folders"]["post"]["requestBody"]["content"]["application/json"]

    assert content["example"] == {"name": "Umowy", "pages": 3}


def test_every_problem_has_its_status_and_an_example(document):
    answers = document["paths"]["/folders"]["post"]["responses"]

    assert set(answers) == {"201", *["400", "401", "403", "409", "413", "415", "422", "429"]}
    problems = answers["409"]["content"]["application/problem+json"]["examples"]
    assert problems["name_taken"]["value"] == {
        "type": "https://id.example/d#name_taken",
        "title": "There is a folder of this name",
        "status": 409,
        "code": "name_taken",
    }
    assert "bad_name" in answers["400"]["content"]["application/problem+json"]["examples"]


def test_it_says_who_may_and_how_they_prove_it(document):
    said = document["paths"]["/folders"]["get"]

    assert said["x-permission"] == "folders:read"
    assert said["security"] == [{"name": ["read"]}]
    assert document["components"]["securitySchemes"] == SCHEMES


def test_an_example_that_would_lack_something_is_none():
    class Half(BaseModel):
        told: str = Field(examples=["x"])
        untold: str

    assert openapi.example_of(Half) is None


def test_an_example_is_made_of_what_the_types_say_where_no_field_has_one():
    class Part(BaseModel):
        told: str = Field(examples=["x"])

    class Whole(BaseModel):
        kind: Literal["whole"]
        one: Part
        parts: list[Part]
        either: Literal["a", "b"] = "a"

    assert openapi.example_of(Whole) == {
        "kind": "whole",
        "one": {"told": "x"},
        "parts": [{"told": "x"}],
    }


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"const": 1}, "1"),
        ({}, "anything"),
        ({"$ref": "#/components/schemas/Listing_Folder_"}, "Listing_Folder"),
    ],
)
def test_types_are_said_in_words(schema, words):
    assert openapi.words_of_type(schema) == words
