"""The journeys' own tools: what they must notice, they notice."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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


STACK = """
import sys
import time
from pathlib import Path

import django

django.setup()
from tests.journeys.running import Stack

stack = Stack("http://127.0.0.1:9", Path(sys.argv[1]))
stack.start()
print(*(process.pid for process in stack.processes.values()), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_from_outside_leaves_no_process_behind(
    end: signal.Signals, tmp_path: Path
) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "pmcycle.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", STACK, str(tmp_path)], env=env, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        processes = [int(pid) for pid in run.stdout.readline().split()]
        run.send_signal(end)
    assert len(processes) == 3
    until = time.monotonic() + 180
    while alive := _alive_in(processes):
        assert time.monotonic() < until, f"left behind: {alive}"
        time.sleep(0.1)


def _alive_in(sessions: list[int]) -> list[str]:
    """What lives of these processes and all they started; what only waits to be buried does not."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid, _parenthesis, rest = status.read_text().partition(" (")
            state, _parent, _group, session = rest.rpartition(")")[2].split()[:4]
            if state != "Z" and int(session) in sessions:
                found.append(f"{pid} {rest[:40]}")
    return found


def test_mail_arrives_in_the_mailbox(stack: Stack) -> None:
    assert stack.mails() == []
    send_mail("To both", "text", None, ["ada@example.com", "ben@example.com"])
    assert stack.wait_for_mail("ben@example.com", "both").get_content().strip() == "text"
    assert stack.mails(to="eve@example.com") == []
