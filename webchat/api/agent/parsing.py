"""From a request to values: strict types, one body limit, ids that fit a row."""

from math import isfinite
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import from_json

from project.errors import InvalidBody, PayloadTooLarge

MAX_BODY_BYTES = 128 * 1024
MAX_ID = 2**63 - 1
MAX_PAGE = 100

JsonObject = dict[str, JsonValue]


class Body(BaseModel):
    """Base of every request body: a number in quotes is an error, an unknown field is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


def example(**fields: Any) -> ConfigDict:
    """What the API's page shows as a body, and offers to send."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class JsonParser(Parser):
    """Takes JSON objects of at most 128 KiB, without NaN, lone surrogates or endless nesting."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Raises PayloadTooLarge and InvalidBody."""
        if len(request.body) > MAX_BODY_BYTES:
            raise PayloadTooLarge
        try:
            value = from_json(request.body, allow_inf_nan=False)
        except ValueError:
            raise InvalidBody from None
        if not isinstance(value, dict):
            raise InvalidBody
        return value

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """An empty value is an absent one, as in `?status=&cursor=`."""
        found: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        return {name: value for name, value in found.items() if value != ""}


def _clamp(limit: int) -> int:
    return min(max(limit, 1), MAX_PAGE)


Limit = Annotated[
    int, AfterValidator(_clamp), Field(description="1 to 100; others become the nearest of them.")
]


def _storable(value: JsonObject) -> JsonObject:
    if not _is_storable(value):
        raise ValueError("must not contain NUL, nor a number beyond all bounds")
    return value


def _is_storable(value: Any) -> bool:
    """What JSON can say but not every database can keep; 1e999 is read as infinity."""
    match value:
        case str():
            return "\x00" not in value
        case float():
            return isfinite(value)
        case dict():
            return all(map(_is_storable, value)) and all(map(_is_storable, value.values()))
        case list():
            return all(map(_is_storable, value))
    return True


FreeObject = Annotated[JsonObject, AfterValidator(_storable), Field(max_length=50)]
"""A JSON object whose fields the server only keeps."""


class RowIdConverter:
    """The id of a row in a path; a number that no row can have is no such path: 404."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > MAX_ID:
            raise ValueError("No row has this id.")
        return number

    def to_url(self, value: int) -> str:
        return str(value)
