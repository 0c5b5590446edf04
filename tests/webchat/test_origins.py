import pytest

from webchat.origins import check_rule, is_allowed, parse

ANY: list[list[str] | None] = [None, [], ["*"], ["https://acme.com", "*"]]
EVERYONE = ["https://acme.com", "http://evil.com", "null", "", "capacitor://localhost", "rubbish"]


@pytest.mark.parametrize("rules", ANY)
@pytest.mark.parametrize("origin", EVERYONE)
def test_an_empty_list_and_a_star_let_everybody_in(rules: list[str] | None, origin: str) -> None:
    assert is_allowed(parse(origin), rules)


@pytest.mark.parametrize(
    ("rule", "origin", "allowed"),
    [
        # A full origin: exactly that scheme, host and port.
        ("https://acme.com", "https://acme.com", True),
        ("https://acme.com", "https://acme.com:443", True),
        ("https://acme.com:443", "https://acme.com", True),
        ("http://acme.com:80", "http://acme.com", True),
        ("https://acme.com", "HTTPS://ACME.com", True),
        ("https://ACME.com/", "https://acme.com", True),
        ("https://acme.com", "https://acme.com.", True),
        ("https://acme.com", "http://acme.com", False),
        ("https://acme.com", "https://acme.com:8443", False),
        ("https://acme.com:8443", "https://acme.com", False),
        ("https://acme.com:8443", "https://acme.com:8443", True),
        ("https://acme.com:8443", "http://acme.com:8443", False),
        ("https://acme.com", "https://www.acme.com", False),
        ("https://acme.com", "https://evilacme.com", False),
        ("https://acme.com", "https://acme.com.evil.com", False),
        ("https://acme.com", "https://evil.com/https://acme.com", False),
        ("https://acme.com", "https://evil.com?https://acme.com", False),
        ("https://acme.com", "https://evil.com#@acme.com", False),
        ("https://acme.com", "https://acme.com@evil.com", False),
        ("https://acme.com", "https://evil.com@acme.com", False),
        ("https://acme.com", "https://evil.com\\@acme.com", False),
        ("https://acme.com", "https://acme.com:443.evil.com", False),
        ("https://acme.com", "https://acme.com%2eevil.com", False),
        ("https://acme.com", "https://acme.com https://evil.com", False),
        ("https://acme.com", "ftp://acme.com", False),
        ("https://acme.com", "//acme.com", False),
        ("https://acme.com", "acme.com", False),
        ("https://acme.com:443", "https://acme.com:0", False),
        ("https://acme.com", "https://acme.com:99999", False),
        # Any depth of subdomain, any scheme and port, but not the apex.
        ("*.acme.com", "https://shop.acme.com", True),
        ("*.acme.com", "http://a.b.c.acme.com:8080", True),
        ("*.acme.com", "https://SHOP.Acme.Com", True),
        ("*.acme.com", "https://acme.com", False),
        ("*.acme.com", "https://evilacme.com", False),
        ("*.acme.com", "https://shop.acme.com.evil.com", False),
        ("*.acme.com", "https://.acme.com", False),
        ("*.acme.com", "https://shop.acme.community", False),
        # A host: either scheme, any port where none is given.
        ("acme.com", "https://acme.com", True),
        ("acme.com", "http://acme.com", True),
        ("acme.com", "https://acme.com:443", True),
        ("acme.com", "http://acme.com:8080", True),
        ("acme.com", "https://www.acme.com", False),
        ("acme.com", "https://evilacme.com", False),
        ("acme.com", "https://acme.com.evil.com", False),
        # A host and port: that port, either scheme.
        ("localhost:5173", "http://localhost:5173", True),
        ("localhost:5173", "https://localhost:5173", True),
        ("localhost:5173", "http://localhost", False),
        ("localhost:5173", "http://localhost:51730", False),
        ("acme.com:443", "https://acme.com", True),
        ("acme.com:443", "http://acme.com", False),
        ("127.0.0.1:3000", "http://127.0.0.1:3000", True),
        ("[::1]:3000", "http://[::1]:3000", True),
        ("[::1]:3000", "http://[::2]:3000", False),
        # IDNA as browsers do it.
        ("https://bücher.example", "https://xn--bcher-kva.example", True),
        ("https://xn--bcher-kva.example", "https://BÜCHER.example", True),
        ("*.bücher.example", "https://shop.xn--bcher-kva.example", True),
        ("bücher.example", "https://bucher.example", False),
        ("straße.example", "https://xn--strae-oqa.example", True),
        ("straße.example", "https://strasse.example", False),
        ("аcme.com", "https://acme.com", False),  # noqa: RUF001 a Cyrillic a
        # An opaque origin, and one that is none, are on no list.
        ("https://acme.com", "null", False),
        ("*.acme.com", "null", False),
        ("null", "null", False),
        ("acme.com", "", False),
        ("acme.com", "capacitor://acme.com", False),
    ],
)
def test_a_rule(rule: str, origin: str, allowed: bool) -> None:
    assert is_allowed(parse(origin), [rule]) is allowed
    assert is_allowed(parse(origin), ["https://other.example", rule]) is allowed


def test_no_origin_is_on_no_list() -> None:
    assert not is_allowed(None, ["acme.com"])


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Acme.com:443", "https://acme.com"),
        ("https://acme.com/pricing?from=mail#top", "https://acme.com"),
        ("http://acme.com:8080/", "http://acme.com:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example"),
        ("null", "null"),
    ],
)
def test_an_origin_has_one_normal_form(text: str, origin: str) -> None:
    parsed = parse(text)
    assert str(parsed) == origin
    assert parse(origin) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.com",
        "/path",
        "https://",
        "https:///path",
        "https://acme.com:port",
        "https://[::1",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user@acme.com",
        "https://xn--\u0378.example",
        f"https://{'a' * 254}.example",
    ],
)
def test_what_is_no_web_origin(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "rule",
    ["*", "https://acme.com", "http://acme.com:8080", "*.acme.com", "acme.com", "localhost:5173"],
)
def test_a_rule_is_kept(rule: str) -> None:
    assert check_rule(f" {rule.upper()} ") == rule


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "acme.com/path",
        "https://acme.com/path",
        "https://acme.com?query",
        "https://*.acme.com",
        "*.acme.com:8080",
        "*.*.acme.com",
        "*.",
        "*acme.com",
        "shop.*.com",
        "ftp://acme.com",
        "user@acme.com",
        "acme com",
        "https://",
        "acme.com:port",
        "acme.com, evil.com",
    ],
)
def test_a_rule_that_could_never_match_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="A rule is"):
        check_rule(rule)
