"""Forms, appraisals, ratings and results for tests, written directly except where an action does it best."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from appraisals import actions
from appraisals.models import (
    Answer,
    Appeal,
    Appraisal,
    CalibrationSession,
    CycleForm,
    FormVersion,
    Question,
    Rating,
    Release,
    ReleasedResult,
    Submission,
)
from goals.models import Goal, GoalVersion, Signature
from pmcycle.cycles.models import Assignment, Cycle, Participation, RatingLevel
from pmcycle.people.models import Employee, User
from tests.factories.cycles import accepting


def employee(user: User) -> Employee:
    assert user.employee is not None
    return user.employee


def make_form(cycle: Cycle, name: str = "") -> FormVersion:
    """The default form, chosen for the cycle."""
    version = actions.make_default_form(name or f"Form of {cycle.name}", by=None)
    CycleForm.objects.create(cycle=cycle, form_version=version)
    return version


def open_stage(cycle: Cycle) -> None:
    """Everybody's forms as the opening stage makes them."""
    if not CycleForm.objects.filter(cycle=cycle).exists():
        make_form(cycle)
    actions.open_appraisals(cycle)


def level(cycle: Cycle, label: str = "Meets") -> RatingLevel:
    return RatingLevel.objects.get(scale__cycle=cycle, label=label)


def make_goal(
    participation: Participation, user: User, title: str = "Fewer rejects", weight: str = "100"
) -> Goal:
    goal = Goal.objects.create(
        participation=participation, cycle=participation.cycle, created_by=user
    )
    version = GoalVersion.objects.create(
        goal=goal,
        number=1,
        title=title,
        weight=weight,
        author=employee(user),
        proposed_at=timezone.now(),
        in_force_from=timezone.now(),
    )
    both_sign(version)
    goal.state, goal.latest, goal.agreed = Goal.State.AGREED, version, version
    goal.save()
    return goal


def both_sign(version: GoalVersion) -> None:
    """The person and a manager have said yes to a wording of a goal."""
    participation = version.goal.participation
    assert participation is not None
    manager = (
        Assignment.objects.filter(participation=participation).latest("starts_on", "pk").manager
    )
    sides = {"employee": participation.employee, "manager": manager}
    Signature.objects.bulk_create(
        Signature(version=version, side=k, signer=v) for k, v in sides.items()
    )


def self_appraisal(participation: Participation) -> Appraisal:
    return Appraisal.objects.get(participation=participation, kind=Appraisal.Kind.SELF)


def manager_appraisal(participation: Participation) -> Appraisal:
    """The form of today's manager."""
    manager = Assignment.objects.current().get(participation=participation).manager
    return Appraisal.objects.get(
        participation=participation, kind=Appraisal.Kind.MANAGER, author=manager
    )


def filled(
    appraisal: Appraisal, label: str = "Meets", *, text: str = "Done as agreed.", **extra: Any
) -> dict[str, Any]:
    """Every field of the form, as a browser posts it."""
    cycle = appraisal.participation.cycle
    chosen = level(cycle, label)
    data: dict[str, Any] = {"version": Appraisal.objects.get(pk=appraisal.pk).version}
    for question in actions.questions_of(appraisal):
        if question.kind == Question.Kind.TEXT:
            data[f"q{question.pk}"] = text
        elif question.kind == Question.Kind.GOALS:
            for goal in actions.goals_of(appraisal.participation):
                data[f"q{question.pk}-g{goal.pk}"] = chosen.pk
                data[f"q{question.pk}-g{goal.pk}-text"] = text
        elif question.kind != Question.Kind.RESULTS:
            data[f"q{question.pk}"] = chosen.pk
    if appraisal.kind == Appraisal.Kind.MANAGER:
        data["level"] = chosen.pk
    return {**data, **extra}


def hand_in(
    appraisal: Appraisal, label: str = "Meets", *, text: str = "Done as agreed."
) -> Submission:
    """Submitted through the action, with every question answered."""
    user = User.objects.get(employee=appraisal.author)
    appraisal.refresh_from_db()
    chosen = level(appraisal.participation.cycle, label)
    answers: dict[Any, actions.Value] = {}
    for question in actions.questions_of(appraisal):
        if question.kind == Question.Kind.TEXT:
            answers[(question.pk, None)] = actions.Value(text=text)
        elif question.kind == Question.Kind.GOALS:
            for goal in actions.goals_of(appraisal.participation):
                answers[(question.pk, goal.pk)] = actions.Value(level_id=chosen.pk, text=text)
        elif question.kind != Question.Kind.RESULTS:
            answers[(question.pk, None)] = actions.Value(level_id=chosen.pk)
    is_manager = appraisal.kind == Appraisal.Kind.MANAGER
    return actions.submit(
        appraisal,
        answers,
        level_id=chosen.pk if is_manager else None,
        version=appraisal.version,
        by=user,
    )


def save_draft(appraisal: Appraisal, text: str = "A first thought.") -> Answer:
    """Something of the author's own, so that the self-appraisal opens to a manager."""
    question = next(q for q in actions.questions_of(appraisal) if q.kind == Question.Kind.TEXT)
    answer = Answer.objects.create(appraisal=appraisal, question=question, text=text)
    Appraisal.objects.filter(pk=appraisal.pk).update(saved_at=timezone.now())
    return answer


def rate(participation: Participation, label: str = "Meets") -> Rating:
    """Self and manager appraisal handed in, so that there is a rating."""
    if not Appraisal.objects.filter(participation=participation).exists():
        open_stage(participation.cycle)
    hand_in(self_appraisal(participation))
    hand_in(manager_appraisal(participation), label)
    return Rating.objects.get(participation=participation)


def make_session(cycle: Cycle, by: User, *units: Any) -> CalibrationSession:
    session = CalibrationSession.objects.create(
        cycle=cycle, name="Production and Sales", created_by=by
    )
    session.units.set(units)
    return session


def ask_for_release(cycle: Cycle, asked_by: User, *, accept: str = "") -> Release:
    """Asked for, over everybody whom it leaves out."""
    left = actions.left_of_release(cycle, asked_by, with_first_mentions=bool(accept))
    return actions.request_release(cycle, accept, accepted=accepting(left), by=asked_by)


def release_all(cycle: Cycle, asked_by: User, approved_by: User, *, accept: str = "") -> Release:
    """Asked, approved and done."""
    release = ask_for_release(cycle, asked_by, accept=accept)
    actions.approve_release(release, by=approved_by)
    actions.release(release)
    release.refresh_from_db()
    return release


def released(world: Any, label: str = "Meets") -> ReleasedResult:
    """Ana's result, asked for by Kim and approved by Lea."""
    rate(world.ana_part, label)
    release_all(world.cycle, world.kim, world.lea, accept="Agreed with the works council.")
    return ReleasedResult.objects.get(participation=world.ana_part)


def appealed(world: Any) -> Appeal:
    """Ana asks for a review of her result."""
    return actions.file_appeal(released(world), "The second goal was moved in May.", by=world.ana)


def make_third_hr_admin(world: Any, name: str = "Omar Diaz") -> User:
    """An HR admin who had no part in a release of Kim and Lea."""
    from pmcycle.people.models import Role
    from tests.factories import people

    user = people.make_user(people.make_employee(name, world.hr))
    people.grant(user, Role.HR_ADMIN)
    found: User = User.objects.select_related("employee").get(pk=user.pk)
    return found


# --- objects of the access table, each in one state -------------------------------------------------


def own_draft(world: Any) -> dict[str, Any]:
    open_stage(world.cycle)
    draft = self_appraisal(world.ana_part)
    save_draft(draft)
    return {"pk": draft.pk}


def own_submitted(world: Any) -> dict[str, Any]:
    """Handed in, while the manager has saved something of their own."""
    own_draft(world)
    hand_in(self_appraisal(world.ana_part))
    save_draft(manager_appraisal(world.ana_part))
    return {"pk": self_appraisal(world.ana_part).pk}


def own_submitted_first(world: Any) -> dict[str, Any]:
    """Handed in, before the manager has written anything."""
    own_draft(world)
    hand_in(self_appraisal(world.ana_part))
    return {"pk": self_appraisal(world.ana_part).pk}


def manager_draft(world: Any) -> dict[str, Any]:
    open_stage(world.cycle)
    save_draft(manager_appraisal(world.ana_part))
    return {"pk": manager_appraisal(world.ana_part).pk}


def former_managers_draft(world: Any) -> dict[str, Any]:
    """Farid began while he was Ana's manager."""
    open_stage(world.cycle)
    row = Appraisal.objects.create(
        participation=world.ana_part,
        kind=Appraisal.Kind.MANAGER,
        author=employee(world.farid),
        form_version=CycleForm.objects.get(cycle=world.cycle).form_version,
        saved_at=timezone.now(),
    )
    return {"pk": row.pk}


def manager_submitted(world: Any) -> dict[str, Any]:
    rate(world.ana_part)
    return {"pk": manager_appraisal(world.ana_part).pk}


def manager_released(world: Any) -> dict[str, Any]:
    released(world)
    return {"pk": manager_appraisal(world.ana_part).pk}


def result_of_ana(world: Any) -> dict[str, Any]:
    return {"pk": released(world).pk}


def appeal_of_ana(world: Any) -> dict[str, Any]:
    return {"pk": appealed(world).pk}


def waiting_release(world: Any) -> dict[str, Any]:
    rate(world.ana_part)
    return {"pk": ask_for_release(world.cycle, world.lea).pk}


def session_of_production(world: Any) -> dict[str, Any]:
    rate(world.ana_part)
    return {"pk": make_session(world.cycle, world.lea, world.production).pk}


def card_of_ana(world: Any) -> dict[str, Any]:
    session = session_of_production(world)
    return {"pk": session["pk"], "rating": Rating.objects.get(participation=world.ana_part).pk}


def the_cycle(world: Any) -> dict[str, Any]:
    if not CycleForm.objects.filter(cycle=world.cycle).exists():
        make_form(world.cycle)
    return {"pk": world.cycle.pk}
