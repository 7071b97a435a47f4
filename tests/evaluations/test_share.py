from __future__ import annotations

from django.urls import reverse

from evaluations.models import Evaluation
from pmcycle.activity.models import Event, Notice
from tests.conftest import SignedIn, World
from tests.evaluations.test_write import typed, write_url
from tests.factories.evaluations import make_evaluation


def test_sharing_opens_the_evaluation_to_the_person_the_line_and_hr(
    world: World, as_: SignedIn
) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    assert bashir.post(write_url(world), typed(act="share")).status_code == 302
    row = Evaluation.objects.get()
    assert row.state == "shared"
    url = reverse("evaluations:read", kwargs={"pk": row.pk})
    for reader in (world.ana, world.bashir, world.dora, world.ines, world.kim):
        assert as_(reader).get(url).status_code == 200
    for stranger in (world.chen, world.gita, world.jan, world.farid):
        assert as_(stranger).get(url).status_code == 404
    assert (
        Notice.objects.get(recipient=world.ana).title == "Your evaluation is ready to read and sign"
    )
    assert Event.objects.filter(verb="shared_evaluation", about=world.ana.employee).exists()


def test_it_is_refused_without_a_cited_shortcoming_and_the_text_stays(
    world: World, as_: SignedIn
) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    answer = bashir.post(write_url(world), {**typed(act="share"), "shortcoming-0-text": "Careless"})
    assert answer.status_code == 409
    assert b"Choose its evidence" in answer.content
    assert b"Careless" in answer.content
    assert Evaluation.objects.get().state == "draft"


def test_it_is_refused_when_the_stage_is_not_open(world: World, as_: SignedIn) -> None:
    bashir = as_(world.bashir)
    bashir.get(write_url(world))
    world.cycle.stages.filter(kind="evaluation").update(state="closed")
    assert bashir.post(write_url(world), typed(act="share")).status_code == 409


def test_it_can_be_taken_back_until_somebody_signs(world: World, as_: SignedIn) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="shared")
    bashir = as_(world.bashir)
    back = reverse("evaluations:take_back", kwargs={"pk": row.pk})
    assert bashir.post(back, {"version": row.version}).status_code == 302
    row.refresh_from_db()
    assert row.state == "draft"
    assert as_(world.ana).get(reverse("evaluations:read", kwargs={"pk": row.pk})).status_code == 404
