"""The page that people see after signing in."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webchat import origins
from webchat.models import Site
from webchat.principal import Agent
from webchat.queries.agent import find_by_session
from webchat.queries.membership import list_own
from webchat.queries.site import list_page


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """A person without a membership is told so: there is nothing here for them."""
    agent = find_by_session(request.session.session_key or "")
    context = {
        "agent": agent,
        "memberships": list_own(agent) if agent else [],
        "site": _find_example_site(agent) if agent else None,
    }
    return render(request, "admin_ui/home.html", context)


def _find_example_site(agent: Agent) -> Site | None:
    """One whose widget a page of this installation may use."""
    here = origins.parse(settings.BASE_URL)
    sites = list_page(agent).items
    return next((site for site in sites if origins.is_allowed(here, site.allowed_origins)), None)
