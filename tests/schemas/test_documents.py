import json

import msgspec
import pytest

from schemas.documents import CHANNELS, FOLDER, asyncapi, documents


@pytest.mark.parametrize("path", documents())
def test_committed_documents_are_those_of_the_types(path: str) -> None:
    """A document that was not made anew after a change of the types is found (`python -m schemas.documents`)."""
    assert (FOLDER / path).read_text() == documents()[path]


def test_no_other_document_is_committed() -> None:
    """A schema of a message that is no more does not linger."""
    committed = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json")}
    assert committed == set(documents())


def test_every_reference_resolves() -> None:
    """Each $ref in the AsyncAPI document points at something in it."""
    document = asyncapi()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [one for value in node.values() for one in references(value)]
        return [one for value in node for one in references(value)] if isinstance(node, list) else []

    for reference in references(document):
        at = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
        assert at


@pytest.mark.parametrize("message", [one for messages, _, _ in CHANNELS.values() for one in messages])
def test_unknown_fields_are_tolerated_and_unknown_versions_refused(message: type[msgspec.Struct]) -> None:
    """Every message may gain fields; a schema version that is not known is an error at that field."""
    schema = json.loads(documents()[f"json/{message.__name__}.schema.json"])
    assert schema.get("additionalProperties") is not False
    with pytest.raises(msgspec.ValidationError, match=r"schema_version"):
        msgspec.convert({"schema_version": 99, "new": 1}, message)
