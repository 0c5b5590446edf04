"""Every error code of the product, found by importing all of it."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.apps import apps

from project.env import BASE_DIR
from project.errors import AppError

APART = {"management", "migrations"}


def list_errors() -> list[type[AppError]]:
    """The base and every class below it, by code."""
    packages = _own_packages()
    for package in packages:
        for name in _modules(package):
            import_module(name)
    found: set[type[AppError]] = {AppError, *_below(AppError)}
    own = [error for error in found if error.__module__.partition(".")[0] in packages]
    return sorted(own, key=lambda error: (error.code, error.__name__))


def _own_packages() -> list[str]:
    own = [app.name for app in apps.get_app_configs() if Path(app.path).parent == BASE_DIR]
    return ["project", *own]


def _modules(package: str) -> Iterator[str]:
    yield package
    for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        if module.name.rpartition(".")[2] in APART:
            continue
        if module.ispkg:
            yield from _modules(module.name)
        else:
            yield module.name


def _below(error: type[AppError]) -> Iterator[type[AppError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)
