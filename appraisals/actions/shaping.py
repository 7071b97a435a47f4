"""Choosing and making the form of a cycle. A frozen version is never edited: the next one begins."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from appraisals import rules
from appraisals.models import CycleForm, Form, FormVersion, Question, Section
from pmcycle.activity.actions import record
from pmcycle.cycles.actions import link
from pmcycle.cycles.models import Cycle
from pmcycle.cycles.rules import Finding
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User

Structure = Sequence[dict[str, Any]]


def _lock_draft(cycle: Cycle) -> Cycle:
    locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    if locked.state != Cycle.State.DRAFT:
        raise Refused(
            _("This cycle is launched; its form is frozen so that all are asked the same.")
        )
    return locked


def choose_form(cycle: Cycle, form: Form | None, *, by: User) -> CycleForm:
    """Use the newest version of a form of the library; None makes a form from the good default."""
    with transaction.atomic():
        locked = _lock_draft(cycle)
        if form is None:
            version = make_default_form(_free_name(locked.name), by=by)
        else:
            version = form.versions.order_by("-number")[:1].get()
        chosen, _created = CycleForm.objects.update_or_create(
            cycle=locked, defaults={"form_version": version}
        )
        record("chose_form", locked, by=by, form=version.form_id, number=version.number)
    return chosen


def _free_name(cycle_name: str) -> str:
    wanted = _("Appraisal, %(cycle)s") % {"cycle": cycle_name[:80]}
    taken = set(Form.objects.filter(name__startswith=wanted).values_list("name", flat=True))
    return next(
        name
        for number in range(1, 10_000)
        if (name := wanted if number == 1 else f"{wanted} {number}") not in taken
    )


def make_default_form(name: str, *, by: User | None) -> FormVersion:
    """The form that is offered first: Results, Ways of working, Looking ahead. Caller holds the transaction."""
    form = Form.objects.create(name=name)
    version = FormVersion.objects.create(form=form, number=1, created_by=by)
    _write(version, rules.DEFAULT_FORM)
    return version


def save_form(
    cycle: Cycle,
    name: str,
    structure: Structure,
    *,
    number: int | None,
    version: int | None,
    by: User,
) -> FormVersion:
    """Write the sections and questions of the cycle's form.

    Weights need not total 100 yet: the check before launch insists on it. If the version is frozen (a
    launched cycle uses it), a new version is made and only this cycle moves to it. `number` is the
    version that was read, `version` its edit counter.
    """
    with transaction.atomic():
        locked = _lock_draft(cycle)
        chosen = CycleForm.objects.select_related("form_version__form").filter(cycle=locked).first()
        if chosen is None:
            raise Refused(_("Choose a form first."))
        row = (
            FormVersion.objects.select_for_update(of=("self",))
            .select_related("form")
            .get(pk=chosen.form_version_id)
        )
        check_version(row, version if number == row.number else -1)
        _refuse_unless_sound(structure)
        if row.frozen_at is not None:
            newest = row.form.versions.aggregate(newest=Max("number"))["newest"]
            row = FormVersion.objects.create(form=row.form, number=newest + 1, created_by=by)
            CycleForm.objects.filter(pk=chosen.pk).update(form_version=row)
        else:
            row.sections.all().delete()
            row.version += 1
            row.save(update_fields=["version"])
        name = name.strip()
        if not name:
            raise Invalid("name", _("A form has a name."))
        if name != row.form.name:
            if Form.objects.filter(name=name).exists():
                raise Invalid("name", _("There is another form of this name."))
            Form.objects.filter(pk=row.form_id).update(name=name)
        _write(row, structure)
        record("saved_form", row, by=by, number=row.number)
    return row


def _refuse_unless_sound(structure: Structure) -> None:
    limits = rules.STRUCTURE_LIMITS
    if len(structure) > limits["sections"] or any(
        len(s["questions"]) > limits["questions"] for s in structure
    ):
        raise Refused(
            _(
                "A form of that length is not answered by anybody: at most 20 sections of 40 questions."
            )
        )


def _write(version: FormVersion, structure: Structure) -> None:
    """Two statements whatever the length."""
    sections = Section.objects.bulk_create(
        [
            Section(
                form_version=version,
                position=position,
                title=str(section["title"]),
                help=str(section.get("help", "")),
                weight=Decimal(str(section.get("weight", 0))),
            )
            for position, section in enumerate(structure)
        ]
    )
    Question.objects.bulk_create(
        [
            Question(
                section=row,
                position=position,
                kind=question["kind"],
                text=str(question["text"]),
                help=str(question.get("help", "")),
                weight=Decimal(str(question.get("weight", 0))),
                choices=[str(words) for words in question.get("choices", [])],
                is_required=question.get("required", True),
                for_self=question.get("self", True),
                for_manager=question.get("manager", True),
                part=question.get("part", ""),
            )
            for row, section in zip(sections, structure, strict=True)
            for position, question in enumerate(section["questions"])
        ]
    )


def structure_of(version: FormVersion) -> list[dict[str, Any]]:
    """A form version as plain data, in the shape that `save_form` takes. Two statements."""
    return [
        {
            "title": section.title,
            "help": section.help,
            "weight": section.weight,
            "questions": [
                {
                    "kind": q.kind,
                    "text": q.text,
                    "help": q.help,
                    "weight": q.weight,
                    "choices": q.choices,
                    "required": q.is_required,
                    "self": q.for_self,
                    "manager": q.for_manager,
                    "part": q.part,
                }
                for q in section.questions.all()
            ],
        }
        for section in version.sections.prefetch_related("questions")
    ]


def copy_form(old: Cycle, new: Cycle, by: User) -> None:
    """A cycle made from another one begins with the same form."""
    chosen = CycleForm.objects.filter(cycle=old).first()
    if chosen is not None:
        CycleForm.objects.get_or_create(
            cycle=new, defaults={"form_version_id": chosen.form_version_id}
        )


def check_form(cycle: Cycle, people: Any) -> list[Finding]:
    """What stands against a launch: no form, nothing to answer, or scored sections that do not total 100."""
    url = link("appraisals:form", pk=cycle.pk)
    weighed = Question.objects.filter(
        section=OuterRef("form_version__sections"),
        kind__in=rules.SCORED_KINDS,
        weight__gt=0,
        for_manager=True,
    )
    # A row a section; one row without a section for a form that has none.
    sections = list(
        CycleForm.objects.filter(cycle=cycle)
        .order_by("form_version__sections__position")
        .annotate(is_weighed=Exists(weighed))
        .values_list(
            "form_version__sections__title", "form_version__sections__weight", "is_weighed"
        )
    )
    if not sections:
        return [
            Finding(
                code="appraisals:form_missing",
                sentence=_("No appraisal form is chosen for this cycle."),
                is_error=True,
                url=url,
                fix=_("Choose a form"),
            )
        ]
    findings = []
    lacks = rules.weight_problem(weight or Decimal(0) for _title, weight, _is_weighed in sections)
    if lacks:
        findings.append(
            Finding(
                code="appraisals:weights",
                is_error=True,
                url=url,
                fix=_("Set the weights"),
                sentence=_(
                    "The scored sections of the appraisal form total %(total)s instead of 100."
                )
                % {"total": f"{(rules.HUNDRED - lacks).normalize():f}"},
            )
        )
    hollow = [title for title, weight, is_weighed in sections if weight and not is_weighed]
    if hollow:
        findings.append(
            Finding(
                code="appraisals:hollow_section",
                is_error=True,
                url=url,
                fix=_("Weigh a question"),
                people=hollow,
                count=len(hollow),
                sentence=_("A section counts for the score, but no question in it has a weight."),
            )
        )
    return findings


def freeze_form(cycle: Cycle) -> None:
    """From the launch on everybody is asked the same; later edits make a new version."""
    FormVersion.objects.filter(cycles__cycle=cycle, frozen_at__isnull=True).update(
        frozen_at=timezone.now()
    )
