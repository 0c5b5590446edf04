"""Every address that Django serves; the widget's calls go around it (project/asgi.py)."""

from django.urls import include, path

from webchat.api.agent import urls as api_urls

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include((api_urls.urlpatterns, "api"))),
]
