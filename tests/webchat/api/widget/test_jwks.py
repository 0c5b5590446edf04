import jwt
import pytest

from tests.webchat.api.widget.browser import Browser
from webchat import signing
from webchat.models import SigningKey

pytestmark = pytest.mark.django_db(transaction=True)

JWKS = "/.well-known/jwks.json"


def test_the_published_keys_check_a_visitor_s_token(guest: Browser) -> None:
    answer = guest.get(JWKS, token=None, origin=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "max-age=300"
    token = guest.token or ""
    key = jwt.PyJWKSet.from_dict(answer.json)[jwt.get_unverified_header(token)["kid"]]
    payload = jwt.decode(token, key, algorithms=["RS256"], audience="karibu:widget")
    assert payload["scopes"] == ["messages"]


def test_rotated_keys_are_published_beside_the_old_ones(guest: Browser) -> None:
    old = jwt.get_unverified_header(guest.token or "")["kid"]
    new = signing.rotate()
    assert [key["kid"] for key in guest.get(JWKS).json["keys"]] == [old, new]
    assert guest.post("/webchat/bootstrap").status == 200


def test_nothing_private_is_published(guest: Browser) -> None:
    private = {"d", "p", "q", "dp", "dq", "qi"}
    for key in guest.get(JWKS).json["keys"]:
        assert not private & set(key)


def test_a_new_installation_publishes_its_first_key(browser: Browser) -> None:
    (key,) = browser.get(JWKS).json["keys"]
    assert key["kid"] == SigningKey.objects.get().kid
