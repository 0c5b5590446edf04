"""The lifetime of this database, by which clients notice that a backup was restored."""

import secrets

from django.db import models


def new_epoch() -> str:
    return secrets.token_hex(4)


class Installation(models.Model):
    """One row. `manage.py new_epoch` changes the epoch after a restore; every client resyncs."""

    epoch = models.CharField(max_length=16, default=new_epoch)
