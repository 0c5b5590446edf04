"""Every address that Django serves; the widget's calls go around it (project/asgi.py)."""

from django.urls import include, path

from webchat.api.agent import urls as api_urls

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include((api_urls.urlpatterns, "api"))),
]

handler400 = "project.refusals.bad_request"
handler403 = "project.refusals.forbidden"
handler404 = "project.refusals.not_found"
handler500 = "project.refusals.server_error"
