"""Pages for people. Of allauth's, only those that have a template of ours."""

from allauth.account import views as accounts
from django.urls import path

from admin_ui.views import examples, home

urlpatterns = [
    path("", home.home, name="home"),
    path("accounts/login/", accounts.login, name="account_login"),
    path("accounts/logout/", accounts.logout, name="account_logout"),
    path("accounts/inactive/", accounts.account_inactive, name="account_inactive"),
    path("accounts/password/change/", accounts.password_change, name="account_change_password"),
    path("examples/visitor", examples.visitor, name="example_visitor"),
]
