"""Every form that a page shows is done once, however often and however quickly it is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.models import ActionItem, AgendaPoint, Entry, Feedback
from goals.models import Goal
from pmcycle.access import today
from pmcycle.activity.models import SentForm
from pmcycle.activity.once import forget_sent
from tests.access_table import ROWS, Row
from tests.at_once import at_once, meanwhile
from tests.conftest import ACTORS, SignedIn, World, build_world
from tests.factories import appraisals, feedback, goals
from tests.forms import forms_of
from tests.goals.test_propose import form as goal_form
from tests.test_access import written
from tests.test_judged_again import holding_ana, to_gita

TEMPLATES = sorted((Path(__file__).parent.parent / "templates").rglob("*.html"))
# What a second sending may leave: its own bookkeeping.
OWN = {"activity_sentform", "activity_use", "activity_draft", "django_session"}
# Never sent by this test: it would end the sign-in that the other forms need.
LEFT_OUT = ("/account/logout/",)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_form_in_a_template_has_the_tag_that_writes_its_key(path: Path) -> None:
    text = path.read_text()
    assert 'name="csrfmiddlewaretoken"' not in text, (
        "write {% csrf_token %}, it brings the form's key too"
    )
    for form in re.findall(r"<form\b.*?</form>", text, flags=re.DOTALL):
        head = re.sub(r"{%.*?%}", "", form.partition("\n\n")[0])
        # The pages of 500 and 503 send once more all that was sent, its key too.
        if 'method="post"' in head and "in again %}" not in form:
            assert "{% csrf_token %}" in form, form[:200]


GETS = [
    row for row in ROWS if row.method == "get" and row.may and not row.url_name.startswith("api:")
]


@pytest.mark.django_db
@pytest.mark.parametrize("row", GETS, ids=lambda r: " ".join(filter(None, [r.url_name, r.state])))
def test_every_form_of_a_page_is_done_once(row: Row, world: World, as_: SignedIn) -> None:
    """Each is filled in, sent, and sent again as it was: the same answer, and nothing written."""
    actor = next((name for name in row.may.split() if name != "anonymous"), "")
    key = ACTORS.get(actor)
    url = reverse(row.url_name, kwargs=row.build(world))
    client = as_(getattr(world, key) if key else None)
    response = client.get(url, row.data(world))
    if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
        return
    for form in forms_of(response.content.decode()):
        where = urlsplit(urljoin(url, form.action))
        assert len(form.keys) == 1, f"{where.path} has no key"
        if where.path in LEFT_OUT:
            continue
        address = f"{where.path}?{where.query}" if where.query else where.path
        with transaction.atomic():
            first = client.post(
                address, form.filled(), headers={"Referer": f"http://testserver{url}"}
            )
            with written() as rows:
                again = client.post(
                    address, form.filled(), headers={"Referer": f"http://testserver{url}"}
                )
            kept = SentForm.objects.exists()
            transaction.set_rollback(True)
        if first.status_code < 400:
            assert rows.keys() <= OWN, f"{where.path} was done twice"
            if kept and "Location" in first.headers:
                assert again.headers["Location"] == first.headers["Location"], where.path


def keyed(key: str, **data: Any) -> dict[str, Any]:
    return {"form_key": key, **data}


def a_feedback(world: World) -> tuple[Any, str, dict[str, Any], Any]:
    """What a form that makes one row is: who sends it, where to, with what, and what it makes."""
    data = {
        "to": feedback.person(world.chen).pick_text,
        "kind": "praise",
        "visibility": "person",
        "body": "Calm.",
    }
    return world.ana, reverse("feedback:give"), data, Feedback


def a_point(world: World) -> tuple[Any, str, dict[str, Any], Any]:
    at = reverse("feedback:add_point", kwargs=feedback.meeting_of_ana(world))
    return world.ana, at, {"text": "Training on the new press"}, AgendaPoint


def an_action(world: World) -> tuple[Any, str, dict[str, Any], Any]:
    at = reverse("feedback:add_action", kwargs=feedback.meeting_of_ana(world))
    data = {
        "text": "Write the plan",
        "owner": world.ana.employee_id,
        "due_on": today() + timedelta(days=5),
    }
    return world.ana, at, data, ActionItem


def an_entry(world: World) -> tuple[Any, str, dict[str, Any], Any]:
    at = reverse("feedback:say", kwargs=feedback.thread_of_ana(world))
    return world.ana, at, {"body": "How is the new line going?"}, Entry


def a_goal(world: World) -> tuple[Any, str, dict[str, Any], Any]:
    at = reverse("goals:draft", kwargs=goals.of_ana(world))
    return world.ana, at, goal_form(), Goal


MAKE_ONE = [a_feedback, a_point, an_action, an_entry, a_goal]


@pytest.mark.django_db
@pytest.mark.parametrize("make", MAKE_ONE)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_a_double_click_makes_one(
    make: Any, headers: dict[str, str], world: World, as_: SignedIn
) -> None:
    user, url, data, model = make(world)
    before = model.objects.count()
    client = as_(user)
    answers = [client.post(url, keyed("k", **data), headers=headers) for _click in range(3)]
    assert {answer.status_code for answer in answers} in ({302}, {200}), answers[0].content[:3000]
    assert len({answer.headers.get("Location") for answer in answers}) == 1
    assert len({answer.content for answer in answers}) == 1
    assert model.objects.count() == before + 1


@pytest.mark.django_db
def test_who_sends_again_after_a_lost_answer_is_told_the_same(world: World, as_: SignedIn) -> None:
    user, url, data, _model = a_feedback(world)
    lost, again = as_(user), as_(user)
    lost.post(url, keyed("k", **data))
    answer = again.post(url, keyed("k", **data))
    said = [str(message) for message in lost.get(answer.headers["Location"]).context["messages"]]
    assert said
    assert [str(m) for m in again.get(answer.headers["Location"]).context["messages"]] == said


@pytest.mark.django_db
def test_what_was_changed_since_is_another_act(world: World, as_: SignedIn) -> None:
    """Back to the page from before, another sentence in the same form: that must not be passed over."""
    user, url, data, model = an_entry(world)
    client = as_(user)
    for body in ("First words.", "Second words."):
        client.post(url, keyed("k", **{**data, "body": body}))
    assert model.objects.filter(body__in=["First words.", "Second words."]).count() == 2


@pytest.mark.django_db
def test_one_person_s_key_says_nothing_to_another(world: World, as_: SignedIn) -> None:
    _user, url, data, model = an_entry(world)
    before = model.objects.count()
    for user in (world.ana, world.bashir):
        assert as_(user).post(url, keyed("k", **data)).status_code == 302
    assert model.objects.count() == before + 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "key", ["a\x00b", "\x00", "k" * 10_000, " ", "\ud7ff", "'; DROP TABLE goals_goal; --"]
)
def test_an_absurd_key_is_a_key_like_any_other(key: str, world: World, as_: SignedIn) -> None:
    user, url, data, model = an_entry(world)
    before, client = model.objects.count(), as_(user)
    answers = [client.post(url, keyed(key, **data)) for _click in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert model.objects.count() == before + 1
    assert client.post(url, keyed(key, body="")).status_code == 422


@pytest.mark.django_db
def test_a_key_that_is_sent_twice_in_one_form_is_no_way_around(world: World, as_: SignedIn) -> None:
    user, url, data, model = an_entry(world)
    before, client = model.objects.count(), as_(user)
    for _click in range(2):
        assert client.post(url, {**data, "form_key": ["one", "two"]}).status_code == 302
    assert model.objects.count() == before + 1


@pytest.mark.django_db
def test_another_s_key_brings_another_neither_its_answer_nor_its_effect(
    world: World, as_: SignedIn
) -> None:
    """Chen has read the key over Ana's shoulder, and sends her form as it was."""
    user, url, data, model = a_point(world)
    as_(user).post(url, keyed("k", **data), headers={"HX-Request": "true"})
    before = model.objects.count()
    answer = as_(world.chen).post(url, keyed("k", **data), headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert "Training on the new press" not in answer.content.decode().split("typed")[0]
    assert model.objects.count() == before


@pytest.mark.django_db
def test_whoever_has_lost_the_right_meanwhile_gets_the_first_answer_and_does_nothing(
    world: World, as_: SignedIn
) -> None:
    """It was done when it was theirs to do; what its answer leads to is judged when it is opened."""
    user, url, data, model = world.bashir, *an_entry(world)[1:]
    client = as_(user)
    first = client.post(url, keyed("k", **data))
    with transaction.atomic():
        to_gita(world)
    before = model.objects.count()
    again = client.post(url, keyed("k", **data))
    assert again.headers["Location"] == first.headers["Location"]
    assert model.objects.count() == before
    assert client.post(url, keyed("new", **data)).status_code in (403, 404)


@pytest.mark.django_db
def test_a_key_older_than_a_day_is_a_new_one_whether_it_was_swept_or_not(
    world: World, as_: SignedIn
) -> None:
    user, url, data, model = an_entry(world)
    before = model.objects.count()
    as_(user).post(url, keyed("k", **data))
    SentForm.objects.update(at=timezone.now() - timedelta(days=1, seconds=1))
    assert as_(user).post(url, keyed("k", **data)).status_code == 302
    assert model.objects.count() == before + 2
    assert SentForm.objects.count() == 1


@pytest.mark.django_db
def test_what_was_refused_can_be_sent_again(world: World, as_: SignedIn) -> None:
    user, url, data, model = an_entry(world)
    before, client = model.objects.count(), as_(user)
    assert client.post(url, keyed("k", body="")).status_code == 422
    assert not SentForm.objects.exists()
    assert client.post(url, keyed("k", **data)).status_code == 302
    assert model.objects.count() == before + 1


@pytest.mark.django_db
def test_what_broke_on_the_way_left_nothing_and_is_done_when_sent_again(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, url, data, model = a_point(world)
    before = model.objects.count()
    client = as_(user, raise_request_exception=False)
    with monkeypatch.context() as broken:
        # The act is done, and its answer breaks.
        broken.setattr("feedback.views.agenda._agenda", lambda *_args: 1 / 0)
        assert (
            client.post(url, keyed("k", **data), headers={"HX-Request": "true"}).status_code == 500
        )
    assert (model.objects.count(), SentForm.objects.count()) == (before, 0)
    assert client.post(url, keyed("k", **data), headers={"HX-Request": "true"}).status_code == 200
    assert model.objects.count() == before + 1


@pytest.mark.django_db
def test_answers_are_kept_for_a_day_and_hold_nothing_that_was_typed(
    world: World, as_: SignedIn
) -> None:
    user, url, data, _model = an_entry(world)
    as_(user).post(url, keyed("k", **data))
    kept = SentForm.objects.values().get()
    assert data["body"] not in str(kept)
    assert forget_sent() == 0
    with time_machine.travel(kept["at"] + timedelta(days=1, seconds=1)):
        assert forget_sent() == 1


@pytest.mark.django_db
def test_an_autosave_is_never_taken_for_the_form_it_comes_from(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    own = appraisals.self_appraisal(world.ana_part)
    url = reverse("appraisals:autosave", args=[own.pk])
    data = keyed("k", **appraisals.filled(own, text="One"))
    as_(world.ana).post(url, data, headers={"X-Autosave": "1"})
    assert not SentForm.objects.exists()


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def world(self, transactional_db: None) -> World:
        world = build_world()
        appraisals.open_stage(world.cycle)
        return world

    @pytest.mark.parametrize("make", MAKE_ONE)
    def test_four_at_the_same_moment_make_one_and_all_get_its_answer(
        self, make: Any, world: World, as_: SignedIn
    ) -> None:
        user, url, data, model = make(world)
        before = model.objects.count()
        clients: list[Client] = [as_(user) for _click in range(4)]
        answers = at_once(*(lambda c=c: c.post(url, keyed("k", **data)) for c in clients))
        assert [answer.status_code for answer in answers] == [302] * 4
        assert len({answer.headers["Location"] for answer in answers}) == 1
        assert model.objects.count() == before + 1

    def test_rights_are_judged_at_the_moment_of_the_write_as_without_a_key(
        self, world: World, as_: SignedIn
    ) -> None:
        row = appraisals.manager_appraisal(world.ana_part)
        browser, data = as_(world.bashir), appraisals.filled(row, text="Rejects are down to 2 %.")
        url = reverse("appraisals:submit", args=[row.pk])
        answer = meanwhile(
            lambda: browser.post(url, keyed("k", **data)),
            hold=holding_ana(world),
            change=lambda: to_gita(world),
        )
        assert answer.status_code == 409
        row.refresh_from_db()
        assert row.submitted_at is None
        assert not SentForm.objects.exists()
