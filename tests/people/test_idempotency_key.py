"""A program names a key of its own: what it sends with it is done once, and answered the same each time."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.models import AgendaPoint, Feedback
from goals.models import Goal, Signature
from pmcycle.activity.models import SentForm
from pmcycle.activity.once import forget_sent
from pmcycle.people.models import ApiToken, User
from tests.at_once import at_once
from tests.conftest import SignedIn, World, build_world
from tests.factories import feedback, goals, people
from tests.goals.test_api import WORDING
from tests.test_judged_again import to_gita

JSON = "application/json"


def token(user: User, *scopes: str, prefix: str = "abcd") -> Client:
    return Client(headers=people.bearer(user, *scopes, prefix=prefix))


def propose(client: Client, world: World, key: str | None, **changed: Any) -> Any:
    data = {"participation": world.ana_part.pk, **WORDING, **changed}
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(reverse("api:goal-propose"), data, content_type=JSON, headers=headers)


@pytest.mark.django_db
class TestOneAfterTheOther:
    def test_the_same_again_is_done_once_and_answered_the_same(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        first, again = propose(program, world, "one"), propose(program, world, "one")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.content == again.content
        assert Goal.objects.count() == 1

    def test_without_a_key_it_is_done_each_time(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        for _time in range(2):
            assert propose(program, world, None).status_code == 201
        assert Goal.objects.count() == 2

    def test_the_first_answer_is_given_again_although_things_have_moved_on(
        self, world: World
    ) -> None:
        program = token(world.ana, "goals:write")
        first = propose(program, world, "one")
        Goal.objects.update(version=7)
        assert propose(program, world, "one").json()["version"] == first.json()["version"]

    def test_the_order_of_the_fields_does_not_matter(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        data = {"participation": world.ana_part.pk, **WORDING}
        for body in (data, dict(reversed(data.items()))):
            answer = program.post(
                reverse("api:goal-propose"),
                json.dumps(body),
                content_type=JSON,
                headers={"Idempotency-Key": "one"},
            )
            assert answer.status_code == 201
        assert Goal.objects.count() == 1

    def test_quoted_as_the_draft_standard_writes_it_it_is_the_same_key(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        assert propose(program, world, "one").content == propose(program, world, '"one"').content
        assert Goal.objects.count() == 1

    def test_the_same_key_with_another_body_is_422_and_does_nothing(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        propose(program, world, "one")
        other = propose(program, world, "one", title="Something else")
        assert other.status_code == 422
        assert "sent before with something else" in other.json()["Idempotency-Key"][0]
        assert Goal.objects.count() == 1

    def test_the_same_key_to_another_address_is_422(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        goal = propose(program, world, "one").json()
        data = {"version": goal["version"]}
        where = reverse("api:goal-withdraw", args=[goal["id"]])
        answer = program.post(where, data, content_type=JSON, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 422
        assert Goal.objects.get().state == Goal.State.PROPOSED

    def test_an_answer_without_content_is_given_again(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        goal = propose(program, world, "one").json()
        where = reverse("api:goal-withdraw", args=[goal["id"]])
        for _time in range(2):
            answer = program.post(
                where,
                {"version": goal["version"]},
                content_type=JSON,
                headers={"Idempotency-Key": "two"},
            )
            assert (answer.status_code, answer.content) == (204, b"")

    def test_what_was_refused_uses_up_no_key(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        assert propose(program, world, "one", title="").status_code == 400
        assert not SentForm.objects.exists()
        assert propose(program, world, "one").status_code == 201

    def test_a_browser_s_session_may_name_a_key_too(self, world: World, as_: SignedIn) -> None:
        browser = as_(world.ana)
        assert propose(browser, world, "one").content == propose(browser, world, "one").content
        assert Goal.objects.count() == 1


@pytest.mark.django_db
class TestKeysOfOthersAndAbsurdOnes:
    def test_two_people_with_the_same_key_are_two(self, world: World) -> None:
        data = {"text": "Training on the new press"}
        where = reverse("api:checkin-add-point", kwargs=feedback.meeting_of_ana(world))
        for user, prefix in ((world.ana, "ana"), (world.bashir, "bash")):
            program = token(user, "check_ins:write", prefix=prefix)
            answer = program.post(
                where, data, content_type=JSON, headers={"Idempotency-Key": "one"}
            )
            assert answer.status_code in (200, 201), answer.content
        assert AgendaPoint.objects.filter(text=data["text"]).count() == 2

    def test_another_person_learns_nothing_by_somebody_s_key(self, world: World) -> None:
        propose(token(world.ana, "goals:write"), world, "one")
        answer = propose(token(world.chen, "goals:write", prefix="chen"), world, "one")
        assert answer.status_code == 404
        assert b"Halve" not in answer.content

    def test_a_token_without_the_scope_gets_no_first_answer(self, world: World) -> None:
        propose(token(world.ana, "goals:write"), world, "one")
        answer = propose(token(world.ana, "feedback:write", prefix="less"), world, "one")
        assert answer.status_code == 403

    def test_a_revoked_token_gets_no_first_answer(self, world: World) -> None:
        program = token(world.ana, "goals:write")
        propose(program, world, "one")
        ApiToken.objects.update(revoked_at=timezone.now())
        assert propose(program, world, "one").status_code == 401

    def test_a_key_of_a_form_is_none_of_a_program(self, world: World, as_: SignedIn) -> None:
        browser = as_(world.ana)
        data = {
            "to": feedback.person(world.chen).pick_text,
            "kind": "praise",
            "visibility": "person",
            "body": "So calm.",
        }
        browser.post(reverse("feedback:give"), {**data, "form_key": "one"})
        assert propose(browser, world, "one").status_code == 201
        assert (Feedback.objects.count(), Goal.objects.count()) == (1, 1)

    @pytest.mark.parametrize(
        "key",
        [
            "",
            '""',
            " ",
            "a\x00b",
            "\x00",
            "k" * 256,
            "k" * 10_000,
            "a b",
            "schlüssel",
            "a\tb",
            "\x7f",
        ],
    )
    def test_an_absurd_key_is_400_and_does_nothing(self, key: str, world: World) -> None:
        answer = propose(token(world.ana, "goals:write"), world, key)
        assert answer.status_code == 400
        assert not Goal.objects.exists()
        assert not SentForm.objects.exists()

    def test_the_longest_key_is_taken(self, world: World) -> None:
        assert propose(token(world.ana, "goals:write"), world, "~" * 255).status_code == 201

    def test_nothing_that_breaks_leaves_a_key(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = token(world.ana, "goals:write")
        program.raise_request_exception = False
        with monkeypatch.context() as broken:
            # The act is done, and its answer breaks.
            broken.setattr("goals.api.GoalViewSet.answer_with", lambda *_args: 1 / 0)
            assert propose(program, world, "one").status_code == 500
        assert (Goal.objects.count(), SentForm.objects.count()) == (0, 0)
        assert propose(program, world, "one").status_code == 201

    def test_after_a_day_the_same_key_is_a_new_one_whether_it_was_swept_or_not(
        self, world: World
    ) -> None:
        program = token(world.ana, "goals:write")
        propose(program, world, "one")
        with time_machine.travel(timezone.now() + timedelta(hours=23)):
            propose(program, world, "one")
            assert Goal.objects.count() == 1
        with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
            assert propose(program, world, "one", title="The year after").status_code == 201
            assert Goal.objects.count() == 2
            assert SentForm.objects.count() == 1
            assert forget_sent() == 0
        with time_machine.travel(timezone.now() + timedelta(days=3)):
            assert forget_sent() == 1

    def test_keys_do_not_stand_in_the_table_in_words(self, world: World) -> None:
        propose(token(world.ana, "goals:write"), world, "a-secret-order-number")
        assert "a-secret-order-number" not in str(SentForm.objects.values().get())


@pytest.mark.django_db
def test_what_is_refused_says_so_after_a_transfer_as_without_a_key(world: World) -> None:
    program = token(world.bashir, "goals:write")
    with transaction.atomic():
        to_gita(world)
    assert propose(program, world, "one").status_code in (403, 404)
    assert not Goal.objects.exists()


@pytest.mark.django_db
def test_the_document_names_the_key_of_every_post_and_of_nothing_else(
    world: World, as_: SignedIn
) -> None:
    answer = as_(world.ana).get(
        reverse("api:schema"), headers={"Accept": "application/vnd.oai.openapi+json"}
    )
    posts = 0
    for path, verbs in json.loads(answer.content)["paths"].items():
        for verb, operation in verbs.items():
            named = [
                one["name"] for one in operation.get("parameters", []) if one["in"] == "header"
            ]
            assert named == (["Idempotency-Key"] if verb == "post" else []), f"{verb} {path}"
            posts += verb == "post"
    assert posts > 20


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture
    def world(self, transactional_db: None) -> World:
        return build_world()

    def test_sixteen_at_the_same_moment_have_one_effect_and_one_answer(self, world: World) -> None:
        token(world.ana, "check_ins:write")
        where = reverse("api:checkin-add-point", kwargs=feedback.meeting_of_ana(world))
        answers = at_once(
            *(lambda: sent(where, {"text": "The new press"}) for _program in range(16))
        )
        assert len(set(answers)) == 1, answers
        assert answers[0][0] == 201
        assert AgendaPoint.objects.filter(text="The new press").count() == 1

    def test_sixteen_with_other_words_each_are_one_and_fifteen_refusals(self, world: World) -> None:
        token(world.ana, "check_ins:write")
        where = reverse("api:checkin-add-point", kwargs=feedback.meeting_of_ana(world))
        answers = at_once(*(lambda n=n: sent(where, {"text": f"Words {n}"})[0] for n in range(16)))
        assert sorted(answers) == [201, *[422] * 15]
        assert AgendaPoint.objects.filter(text__startswith="Words").count() == 1

    def test_sixteen_with_a_key_of_their_own_each_are_sixteen(self, world: World) -> None:
        token(world.ana, "check_ins:write")
        where = reverse("api:checkin-add-point", kwargs=feedback.meeting_of_ana(world))
        answers = at_once(
            *(lambda n=n: sent(where, {"text": "Words of mine"}, f"k{n}")[0] for n in range(16))
        )
        assert answers == [201] * 16
        assert AgendaPoint.objects.filter(text="Words of mine").count() == 16

    def test_a_yes_sent_sixteen_times_is_one_yes_and_none_is_told_it_came_too_late(
        self, world: World
    ) -> None:
        token(world.bashir, "goals:write")
        goal = goals.propose(world.ana_part, world.ana)
        where = reverse("api:goal-accept", args=[goal.pk])
        answers = at_once(
            *(lambda: sent(where, {"version": goal.version}) for _program in range(16))
        )
        assert len(set(answers)) == 1, answers
        assert answers[0][0] == 200
        assert Signature.objects.filter(version__goal=goal, side="manager").count() == 1

    def test_a_key_that_is_older_than_its_life_is_new_for_one_of_sixteen(
        self, world: World
    ) -> None:
        token(world.ana, "check_ins:write")
        where = reverse("api:checkin-add-point", kwargs=feedback.meeting_of_ana(world))
        sent(where, {"text": "The new press"})
        SentForm.objects.update(at=timezone.now() - timedelta(days=2))
        answers = at_once(
            *(lambda: sent(where, {"text": "The new press"}) for _program in range(16))
        )
        assert len(set(answers)) == 1, answers
        assert AgendaPoint.objects.filter(text="The new press").count() == 2


def sent(where: str, data: dict[str, Any], key: str = "one") -> tuple[int, bytes]:
    """What a program with the token `abcd` is answered."""
    headers = {"Authorization": "Bearer pmc_abcd_secret", "Idempotency-Key": key}
    answer = Client().post(where, data, content_type=JSON, headers=headers)
    return answer.status_code, answer.content
