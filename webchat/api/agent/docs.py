"""The human page of the API: Swagger UI from this server's own static files."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

SETTINGS = {"layout": "BaseLayout", "deepLinking": True, "defaultModelsExpandDepth": 0}


class SwaggerPage(DocsBase):
    """Public. To a signed-in agent it gives the CSRF token, so that calls can be tried out."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        settings = SETTINGS | {"url": self.get_openapi_url(api, kwargs)}
        return render(request, "webchat/api_docs.html", {"settings": settings})
