"""The agents' API below `/api/`, its OpenAPI document and its pages."""

from django.urls import URLPattern

from webchat.api.agent.api import api
from webchat.api.agent.errors import guard

patterns, app_name, _ = api.urls
urlpatterns = [guard(pattern) for pattern in patterns if isinstance(pattern, URLPattern)]
