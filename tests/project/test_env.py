import stat
import threading
from functools import partial
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from project import env
from tests.threads import together

NAME = "KARIBU_TEST_VALUE"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, "KARIBU_SECRET_KEY", "KARIBU_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)


class TestOneOf:
    def test_unset_is_the_default(self) -> None:
        assert env.one_of(NAME, "a", ("a", "b")) == "a"

    def test_takes_what_is_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "b")
        assert env.one_of(NAME, "a", ("a", "b")) == "b"

    @pytest.mark.parametrize("value", ["", "c", "A", " a"])
    def test_refuses_nonsense_by_name(self, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, value)
        with pytest.raises(ImproperlyConfigured, match=NAME):
            env.one_of(NAME, "a", ("a", "b"))


class TestPositive:
    def test_unset_is_the_default(self) -> None:
        assert env.positive(NAME, 7) == 7

    def test_takes_a_whole_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "12")
        assert env.positive(NAME, 7) == 12

    @pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", ""])
    def test_refuses_nonsense_by_name(self, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, value)
        with pytest.raises(ImproperlyConfigured, match=NAME):
            env.positive(NAME, 7)


class TestKept:
    def test_the_first_value_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "key"
        assert env.kept(path, "first") == "first"
        assert env.kept(path, "second") == "first"

    def test_nobody_else_may_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        env.kept(path, "first")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_nothing_else_is_left(self, tmp_path: Path) -> None:
        env.kept(tmp_path / "key", "first")
        assert [path.name for path in tmp_path.iterdir()] == ["key"]

    def test_processes_that_start_together_agree(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Threads in the part of processes, which have numbers of their own.
        monkeypatch.setattr("os.getpid", threading.get_ident)
        for attempt in range(20):
            path = tmp_path / f"{attempt}"
            values = together(*(partial(env.kept, path, f"value {n}") for n in range(4)))
            assert len(set(values)) == 1
            assert path.read_text() == values[0]


class TestSecretKey:
    def test_is_generated_once(self, tmp_path: Path) -> None:
        first = env.secret_key(tmp_path, production=False)
        assert len(first) >= 48
        assert env.secret_key(tmp_path, production=False) == first

    def test_is_of_the_environment_where_set(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KARIBU_SECRET_KEY", "k" * 32)
        assert env.secret_key(tmp_path, production=True) == "k" * 32
        assert list(tmp_path.iterdir()) == []

    def test_short_one_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KARIBU_SECRET_KEY", "k" * 31)
        with pytest.raises(ImproperlyConfigured, match="KARIBU_SECRET_KEY"):
            env.secret_key(tmp_path, production=False)

    def test_is_required_in_production(self, tmp_path: Path) -> None:
        with pytest.raises(ImproperlyConfigured, match="KARIBU_SECRET_KEY"):
            env.secret_key(tmp_path, production=True)
        assert list(tmp_path.iterdir()) == []


class TestEncryptionKeys:
    def test_one_is_generated_once(self, tmp_path: Path) -> None:
        [first] = env.encryption_keys(tmp_path, production=False)
        assert Fernet(first).decrypt(Fernet(first).encrypt(b"secret")) == b"secret"
        assert env.encryption_keys(tmp_path, production=False) == [first]

    def test_all_of_the_environment_are_taken_in_order(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = [Fernet.generate_key().decode() for _ in range(2)]
        monkeypatch.setenv("KARIBU_ENCRYPTION_KEYS", ",".join(keys))
        assert env.encryption_keys(tmp_path, production=True) == keys

    @pytest.mark.parametrize("value", ["x", "k" * 44, f"{Fernet.generate_key().decode()},x"])
    def test_what_is_no_key_is_refused(
        self, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KARIBU_ENCRYPTION_KEYS", value)
        with pytest.raises(ImproperlyConfigured, match="KARIBU_ENCRYPTION_KEYS"):
            env.encryption_keys(tmp_path, production=False)

    def test_are_required_in_production(self, tmp_path: Path) -> None:
        with pytest.raises(ImproperlyConfigured, match="KARIBU_ENCRYPTION_KEYS"):
            env.encryption_keys(tmp_path, production=True)
