"""Every address that Django serves; the widget's calls go around it (project/asgi.py)."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
]
