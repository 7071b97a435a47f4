"""Approving, releasing, reading and exporting: two people each time, nothing before its time, every cent."""

from __future__ import annotations

import csv
import hashlib
import io
from contextlib import closing
from decimal import Decimal

import pypdfium2
import pytest
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from incentives import actions, rules, tasks
from incentives.models import Award, Component, FactSheet, PayrollExport, Pool, Run, Statement
from pmcycle.activity.models import Job, Notice
from pmcycle.errors import Refused
from pmcycle.people.models import Employee, Role, User
from tests.conftest import SignedIn, World
from tests.factories import cycles, incentives, people
from tests.pages import flat


def test_a_second_person_approves(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    url = reverse("incentives:approve", kwargs={"pk": run.pk})
    actions.hand_in(run, "", by=world.dora)
    left = actions.left_of_approval(run, world.lea)
    data = {"version": run.version, **cycles.reasons(left, "They are away.")}
    assert as_(world.kim).post(url, data).status_code == 409
    assert as_(world.lea).post(url, data).status_code == 302
    run.refresh_from_db()
    assert (run.state, run.approved_by, run.waived) == ("approved", world.lea, "They are away.")


def test_going_on_without_a_team_needs_a_reason(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    actions.hand_in(run, "", by=world.dora)
    answer = as_(world.lea).post(
        reverse("incentives:approve", kwargs={"pk": run.pk}), {"version": run.version}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "4 teams are not approved by their line" in page
    assert "Bashir Nouri (not handed in)" in page
    assert "Say why this may stay as it is" in page


def test_who_calculated_reads_who_is_missing_with_links_to_their_sheets(
    world: World, as_: SignedIn
) -> None:
    run = incentives.recommending(world)
    actions.hand_in(run, "", by=world.bashir)
    page = (
        as_(world.kim)
        .get(reverse("incentives:run", kwargs={"pk": world.cycle.pk}))
        .content.decode()
    )
    assert "A second person in HR approves it" in page
    for manager, standing in ((world.bashir, "handed in"), (world.gita, "not handed in")):
        assert manager.employee
        sheet = f"{reverse('incentives:sheet', args=[run.pk])}?team={manager.employee.pk}"
        assert f'<a href="{sheet}">{manager.name} ({standing})</a>' in page


def test_nobody_approves_an_amount_of_their_own_that_nobody_stood_for(world: World) -> None:
    run = incentives.recommending(world)
    with pytest.raises(Refused, match="Your own amount"):
        incentives.approve(run, world.lea)


def test_an_overspent_pool_is_not_approved(world: World) -> None:
    run = incentives.calculated(world)
    Pool.objects.update(amount=1)
    actions.open_recommending(run, version=None, by=world.kim)
    actions.hand_in(run, "", by=world.dora)
    with pytest.raises(Refused, match="overspent"):
        incentives.approve(run, world.lea)


def test_before_the_release_nothing_reaches_the_person(world: World, as_: SignedIn) -> None:
    incentives.approved(world)
    client, amount = as_(world.ana), incentives.award_of(world.ana_part).amount
    for name in (
        "incentives:mine",
        "incentives:sheets",
        "home:index",
        "activity:inbox",
        "incentives:restraints",
    ):
        page = client.get(reverse(name)).content.decode()
        assert f"{amount:,.2f}" not in page
    award = incentives.award_of(world.ana_part)
    assert client.get(reverse("incentives:award", kwargs={"pk": award.pk})).status_code == 404
    assert not Notice.objects.filter(recipient=world.ana, kind__startswith="incentives").exists()


def test_a_worker_releases_what_another_person_asked_for(world: World, as_: SignedIn) -> None:
    run = incentives.approved(world)
    url = reverse("incentives:release", kwargs={"pk": run.pk})
    assert as_(world.lea).post(url, {"version": run.version}).status_code == 409
    assert as_(world.kim).post(url, {"version": run.version}).status_code == 302
    tasks.release_waiting()
    run.refresh_from_db()
    assert run.state == "released"
    assert Statement.objects.count() == len(world.part)
    notice = Notice.objects.get(recipient=world.ana, kind="incentives:statement")
    assert notice.title == "Read your reward statement"
    assert notice.url == reverse(
        "incentives:statement", kwargs={"pk": incentives.statement_of(world.ana_part).pk}
    )


def test_who_asks_second_is_led_to_the_work_and_told_whose_it_is(
    world: World, as_: SignedIn
) -> None:
    run = incentives.approved(world)
    people.grant(world.hugo, Role.HR_ADMIN)
    hugo = User.objects.get(pk=world.hugo.pk)
    url = reverse("incentives:release", kwargs={"pk": run.pk})
    first = as_(world.kim).post(url, {"version": run.version})
    job = Job.objects.get(kind="incentives:release")
    # The second one is too late, whatever was typed and read; so is who approved and could not ask at all.
    for user in (hugo, world.lea):
        browser = as_(user)
        typed = {"version": run.version, "reason_incentives_held": "They are told on Monday."}
        answer = browser.post(url, typed)
        assert (
            answer.headers["Location"]
            == first.headers["Location"]
            == reverse("activity:job", args=[job.pk])
        )
        page = flat(browser.get(answer.headers["Location"]))
        assert "Kim Larsen has asked for this already" in page
        assert "among your unsent texts" in page
        assert "They are told on Monday." in flat(browser.get(reverse("activity:unsent")))
    assert Job.objects.filter(kind="incentives:release").count() == 1
    again = as_(world.kim)
    assert (
        again.post(url, {"version": run.version}).headers["Location"] == first.headers["Location"]
    )
    assert "has asked for this already" not in flat(again.get(first.headers["Location"]))
    tasks.release_waiting()
    job.refresh_from_db()
    assert (job.state, job.started_by) == ("done", world.kim)


def test_after_it_is_done_who_asks_is_told_so(world: World, as_: SignedIn) -> None:
    run = incentives.approved(world)
    url = reverse("incentives:release", kwargs={"pk": run.pk})
    as_(world.kim).post(url, {"version": run.version})
    tasks.release_waiting()
    answer = as_(world.kim).post(url, {"version": run.version})
    assert answer.status_code == 409
    assert "The statements are released already." in flat(answer)


def test_who_may_not_see_the_work_gets_a_true_answer_and_no_page_that_is_closed(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = incentives.approved(world)
    url = reverse("incentives:release", kwargs={"pk": run.pk})
    before = reverse("incentives:run", kwargs={"pk": world.cycle.pk})
    as_(world.kim).post(url, {"version": run.version})
    hidden = Job.objects.none()
    monkeypatch.setattr(
        "pmcycle.activity.models.telling.JobQuerySet.visible_to", lambda self, _user: hidden
    )
    browser = as_(world.lea)
    answer = browser.post(
        url, {"version": run.version}, headers={"Referer": f"http://testserver{before}"}
    )
    assert answer.headers["Location"].endswith(before)
    assert "Kim Larsen has asked for this already" in flat(browser.get(before))
    for user, status in (
        (world.ines, 403),
        (world.bashir, 404),
        (world.ana, 404),
        (world.noor, 404),
    ):
        assert as_(user).post(url, {"version": run.version}).status_code == status


def test_the_person_reads_the_amounts_the_rule_and_the_tree_and_says_so(
    world: World, as_: SignedIn
) -> None:
    incentives.released(world)
    client, row = as_(world.ana), incentives.statement_of(world.ana_part)
    page = client.get(reverse("incentives:statement", kwargs={"pk": row.pk})).content.decode()
    shown = ("$1,040.00", "$1,560.00", "52,000.00", "53,040.00")
    for words in ("Yearly pay before", "Share of the period worked", "Rule 2 fits", *shown):
        assert words in page
    assert "$2,600.00" not in page, "a rise comes again each year and a bonus once: they are no sum"
    assert client.post(reverse("incentives:acknowledge", kwargs={"pk": row.pk})).status_code == 302
    row.refresh_from_db()
    assert row.acknowledged_at
    pdf = client.get(reverse("incentives:statement_pdf", kwargs={"pk": row.pk}))
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


def test_the_statement_says_from_when(world: World, as_: SignedIn) -> None:
    plan = incentives.write_plan(world)
    merit = plan.components.get(kind="merit")
    client, url = as_(world.kim), reverse("incentives:edit_component", kwargs={"pk": merit.pk})
    data = {
        "name": merit.name,
        "match": "first",
        "band_percent": "20",
        "rounding": "0.01",
        "prorate": "on",
        "takes_effect_on": "2027-01-15",
        "version": merit.version,
    }
    assert client.post(url, data).status_code == 302
    assert (
        "from Friday 15 January 2027"
        in as_(world.kim)
        .get(reverse("incentives:plan", kwargs={"pk": world.cycle.pk}))
        .content.decode()
    )
    run = incentives.released(world, plan=plan)
    statement = reverse(
        "incentives:statement", kwargs={"pk": incentives.statement_of(world.ana_part).pk}
    )
    file = bytes(actions.export_payroll(run, "csv", by=world.kim).content).decode("utf-8-sig")
    days = {(row["component"], row["takes_effect_on"]) for row in csv.DictReader(io.StringIO(file))}
    assert days == {(merit.name, "2027-01-15"), ("Bonus", "")}
    for page in (
        statement,
        reverse("incentives:mine"),
        reverse("incentives:criteria", args=[world.cycle.pk]),
    ):
        assert "a year, from Friday 15 January 2027" in as_(world.ana).get(page).content.decode(), (
            page
        )
    pk = incentives.statement_of(world.ana_part).pk
    pdf = as_(world.ana).get(reverse("incentives:statement_pdf", kwargs={"pk": pk})).content
    with closing(pypdfium2.PdfDocument(pdf)) as document, closing(document[0]) as sheet:
        assert "a year, from Friday 15 January 2027" in sheet.get_textpage().get_text_range()


def test_a_released_statement_stays_as_it_is(world: World) -> None:
    from django.db import transaction

    incentives.released(world)
    row = incentives.statement_of(world.ana_part)
    with pytest.raises(Exception, match="stays as it is"), transaction.atomic():
        Statement.objects.filter(pk=row.pk).update(snapshot={})


def test_every_amount_recomputes_from_what_is_stored(world: World) -> None:
    run = incentives.released(world)
    assert run.plan_version
    components = {c.id: c for c in rules.components_of(run.plan_version.content)}
    sheets = dict(FactSheet.objects.filter(run=run).values_list("participation", "facts"))
    for award in Award.objects.filter(run=run):
        person = rules.person_from(sheets[award.participation_id])
        again = rules.recompute(
            components[award.component_id], person, award.trace.get("part"), currency="USD"
        )
        assert again == award.guideline


def divided_plan(world: World, pool: str = "10000.01") -> Run:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    merit = incentives.make_component(plan, "merit", distributes_pool=True)
    incentives.make_rule(merit, "2", incentives.at_least(3))
    incentives.make_pool(merit, pool)
    return incentives.released(world, plan=plan)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_the_file_for_payroll_equals_the_pool_to_the_cent(world: World, format: str) -> None:
    run = divided_plan(world)
    export = actions.export_payroll(run, format, by=world.kim)
    assert export.total == Decimal("10000.01") == Pool.objects.get().amount
    assert hashlib.sha256(bytes(export.content)).hexdigest() == export.sha256
    again = actions.export_payroll(run, format, by=world.kim)
    assert (again.pk, PayrollExport.objects.count()) == (export.pk, 1)
    run.refresh_from_db()
    assert run.state == "exported"


def test_held_money_stays_out_and_comes_in_a_file_of_its_own(world: World, as_: SignedIn) -> None:
    entry = incentives.in_effect(world)
    run = divided_plan(world)
    first = actions.export_payroll(run, "csv", by=world.kim)
    held = incentives.award_of(world.ana_part).amount
    assert first.total == Decimal("10000.01") - held
    assert bytes(first.content).startswith(b"\xef\xbb\xbf")
    assert "Ana Popescu" not in bytes(first.content).decode("utf-8-sig")
    actions.decide(entry, "lifted", "Settled in June.", version=None, by=world.lea)
    second = actions.export_payroll(run, "csv", by=world.kim)
    assert (second.batch, second.rows, second.total) == (2, 1, held)
    assert first.total + second.total == Decimal("10000.01")


def test_payroll_downloads_the_bytes_as_an_attachment(world: World, as_: SignedIn) -> None:
    run = incentives.released(world)
    client = as_(world.kim)
    assert (
        client.post(
            reverse("incentives:export_payroll", kwargs={"pk": run.pk}), {"format": "csv"}
        ).status_code
        == 302
    )
    export = PayrollExport.objects.get()
    answer = client.get(reverse("incentives:payroll_file", kwargs={"pk": export.pk}))
    assert answer.content == bytes(export.content)
    assert answer["Content-Disposition"].startswith("attachment")
    assert export.total == Award.objects.filter(run=run).aggregate(s=Sum("amount"))["s"]


def test_no_cell_is_a_formula(world: World) -> None:
    Employee.objects.filter(pk=world.ana_part.employee_id).update(name="=cmd|' /C calc'!A0")
    Component.objects.update(name="@bonus")
    export = actions.export_payroll(incentives.released(world), "csv", by=world.kim)
    assert "'=cmd" in bytes(export.content).decode("utf-8-sig")


def test_refused_before_the_release(world: World) -> None:
    run = incentives.approved(world)
    with pytest.raises(Refused, match="released"):
        actions.export_payroll(run, "csv", by=world.kim)


def test_a_partner_of_one_unit_sees_no_file_of_the_whole_company(
    world: World, as_: SignedIn
) -> None:
    export = actions.export_payroll(incentives.released(world), "csv", by=world.kim)
    page = reverse("incentives:run", kwargs={"pk": world.cycle.pk})
    for reader, sees in ((world.kim, True), (world.ines, False)):
        assert (export.sha256[:16] in as_(reader).get(page).content.decode()) is sees


def test_the_page_of_the_run_leads_to_the_work_that_is_under_way(
    world: World, as_: SignedIn
) -> None:
    run = incentives.approved(world)
    page = reverse("incentives:run", kwargs={"pk": world.cycle.pk})

    def leads_to(job: Job, reader: User) -> bool:
        return reverse("activity:job", args=[job.pk]) in as_(reader).get(page).content.decode()

    incentives.ask_for_release(run, world.kim)
    first = Job.objects.get(kind=actions.RELEASE)
    assert leads_to(first, world.kim)
    assert leads_to(first, world.lea)
    assert not leads_to(first, world.ines), "work is HR admins' matter"
    Job.objects.update(state="failed", message="It broke.", finished_at=timezone.now())
    assert "Read why, and try again" in as_(world.lea).get(page).content.decode()
    assert leads_to(first, world.lea)
    incentives.ask_for_release(run, world.kim)
    second = Job.objects.latest("pk")
    assert leads_to(second, world.lea)
    assert not leads_to(first, world.lea), "it was asked for anew"
    Job.objects.filter(pk=second.pk).update(
        state="failed", message="It broke.", finished_at=timezone.now()
    )
    actions.release(run, by=world.kim)
    assert not leads_to(second, world.lea), "the statements are out all the same"
