"""The journeys' own tools: what they must notice, they notice."""

import pytest
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.urls import path

from pmcycle.urls import urlpatterns as project_urls
from tests.factories.people import make_user
from tests.journeys.conftest import Visit
from tests.journeys.looking import Watch, axe
from tests.journeys.running import Stack

PAGE = """<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">
<main><h1>A page</h1>{}</main>"""


def faulty(request: HttpRequest) -> HttpResponse:
    words = '<p style="color: red">styled</p><img src="/none.png"><a href="/broken/">On</a>'
    return HttpResponse(PAGE.format(words))


def broken(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.format(""), status=500)


urlpatterns = [path("", faulty), path("broken/", broken), *project_urls]


@pytest.mark.urls(__name__)
def test_a_page_with_faults_is_noticed(visit: Visit, watch: Watch) -> None:
    # An installation without users leads every address to the first visit.
    make_user(email="somebody@example.com", name="Somebody")
    page = visit()
    noticed = "\n".join(watch.problems)
    assert "Content Security Policy" in noticed
    assert "404 from GET" in noticed
    with pytest.raises(AssertionError, match="image-alt"):
        axe(page)
    watch.problems.clear()
    page.get_by_role("link", name="On").click()
    page.wait_for_url("**/broken/")
    assert [problem for problem in watch.problems if problem.startswith("500 from GET")]
    watch.problems.clear()


def test_mail_arrives_in_the_mailbox(stack: Stack) -> None:
    assert stack.mails() == []
    send_mail("To both", "text", None, ["ada@example.com", "ben@example.com"])
    assert stack.wait_for_mail("ben@example.com", "both").get_content().strip() == "text"
    assert stack.mails(to="eve@example.com") == []
