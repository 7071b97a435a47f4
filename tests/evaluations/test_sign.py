from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from evaluations import actions
from evaluations.models import Evaluation, Signature
from evaluations.rules import fingerprint
from pmcycle.access import today
from pmcycle.cycles.actions import extend
from pmcycle.errors import Refused
from tests.at_once import PATIENCE
from tests.conftest import SignedIn, World, build_world
from tests.factories.evaluations import make_evaluation


def test_with_the_second_signature_the_evaluation_is_frozen(world: World, as_: SignedIn) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="shared")
    url = reverse("evaluations:sign", kwargs={"pk": row.pk})
    assert (
        as_(world.ana)
        .post(url, {"version": 1, "comment": "The rework was a team effort."})
        .status_code
        == 302
    )
    row.refresh_from_db()
    assert row.state == "shared"
    assert as_(world.bashir).post(url, {"version": row.version, "comment": ""}).status_code == 302
    row.refresh_from_db()
    assert row.state == "signed"
    assert row.snapshot is not None
    assert row.sha256 == fingerprint(row.snapshot)
    assert "team effort" in str(row.snapshot)


def test_nobody_signs_for_another(world: World, as_: SignedIn) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="shared")
    url = reverse("evaluations:sign", kwargs={"pk": row.pk})
    assert as_(world.dora).post(url, {"version": 1}).status_code == 403
    assert as_(world.chen).post(url, {"version": 1}).status_code == 404
    as_(world.ana).post(url, {"version": 1})
    assert as_(world.ana).post(url, {"version": 2}).status_code == 409
    assert row.signatures.count() == 1


def test_in_a_closed_stage_nobody_signs_without_more_time(world: World, as_: SignedIn) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="shared")
    stage = world.cycle.stages.get(kind="evaluation")
    stage.state = "closed"
    stage.save(update_fields=["state"])
    url = reverse("evaluations:sign", kwargs={"pk": row.pk})
    page = reverse("evaluations:read", kwargs={"pk": row.pk})
    for user in (world.ana, world.bashir):
        assert url not in as_(user).get(page).content.decode()
        refused = as_(user).post(url, {"version": 1, "comment": ""})
        assert refused.status_code == 409
        assert "Ask HR for more time" in refused.content.decode()
    extend(world.ana_part, stage, due_on=today(), reason="leave", version=1, by=world.kim)
    assert url in as_(world.ana).get(page).content.decode()
    assert as_(world.ana).post(url, {"version": 1, "comment": ""}).status_code == 302


def test_what_is_signed_cannot_be_taken_back(world: World, as_: SignedIn) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="signed")
    back = reverse("evaluations:take_back", kwargs={"pk": row.pk})
    assert as_(world.bashir).post(back, {"version": row.version}).status_code == 409


@pytest.mark.django_db
def test_the_database_keeps_a_signature_as_it_is(world: World) -> None:
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="signed")
    with pytest.raises(Exception, match="Cannot"), transaction.atomic():
        Signature.objects.filter(evaluation=row).update(comment="changed")
    with pytest.raises(IntegrityError), transaction.atomic():
        Evaluation.objects.create(
            participation=world.ana_part,
            author=world.part["farid"].employee,
            state="shared",
            shared_at=row.shared_at,
        )


@pytest.mark.django_db(transaction=True)
def test_both_sign_at_the_same_moment_and_both_count() -> None:
    world = build_world()
    row = make_evaluation(world.ana_part, world.part["bashir"].employee, state="shared")
    start = threading.Barrier(2)
    refused: list[str] = []

    def sign(user: str) -> None:
        start.wait(PATIENCE)
        try:
            actions.sign(row, f"signed by {user}", version=None, by=getattr(world, user))
        except Refused as refusal:
            refused.append(refusal.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign, args=(name,)) for name in ("ana", "bashir")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    row.refresh_from_db()
    assert refused == []
    assert row.state == "signed"
    assert row.snapshot is not None
    assert len(row.snapshot["signatures"]) == 2
