"""Keys that sign visitors' session tokens."""

from django.db import models


class SigningKey(models.Model):
    """An RSA key; the newest signs, all that exist verify (`manage.py rotate_signing_keys`).

    In the database rather than in a file, so that every process of every host has the same set.
    """

    kid = models.CharField(max_length=32, primary_key=True)
    encrypted_private_key = models.TextField()
    created_at = models.DateTimeField(db_index=True)
