"""Every address that Django serves; the widget's calls go around it (project/asgi.py)."""

from django.urls import include, path

from project import health
from webchat.api.agent import urls as api_urls

urlpatterns = [
    path("", include("admin_ui.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("api/", include((api_urls.urlpatterns, "api"))),
]

handler400 = "project.refusals.bad_request"
handler403 = "project.refusals.forbidden"
handler404 = "project.refusals.not_found"
handler500 = "project.refusals.server_error"
