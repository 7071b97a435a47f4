"""Writing, calibrating, releasing and answering an appraisal in a real browser, as five people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from appraisals.models import Appraisal, CalibrationMove, Rating, ReleasedResult
from feedback.models import ActionItem, Feedback
from goals.models import Contribution, KeyResult, ProgressUpdate
from pmcycle.access import today
from tests.conftest import World, build_world
from tests.factories import appraisals as make
from tests.factories import cycles, people
from tests.factories.feedback import make_check_in, make_entry, make_series
from tests.journeys.looking import in_both_themes, look

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.journeys.conftest import Visit

TEXTS = {
    "achieved": "Rejects on line 3 fell from 6 % to 2.1 %. The new fixture was my idea; Chen built it with me, and it "
    "has been copied on line 4.",
    "fell_short": "The handover to the night shift was late three times in June. I should have asked for help sooner.",
    "ahead": "I want to lead the next changeover myself, and would need the two-day course on statistics.",
    "manager_achieved": "Ana turned line 3 around: rejects fell from 6 % to 2.1 %, and the fixture she thought of is "
    "now the standard for line 4. She asks the right question before she changes anything.",
    "manager_fell_short": "Handovers to the night shift were late three times in June. We spoke about it on the 14th; "
    "since then they are on time.",
    "summary": "A strong year: Ana made line 3 the best line of the plant, and is ready to lead a changeover.",
}


def year_of_ana(world: World) -> None:
    """What a year leaves behind, spread over the months."""
    ana, bashir, chen = (make.employee(getattr(world, key)) for key in ("ana", "bashir", "chen"))
    rejects = make.make_goal(world.ana_part, world.ana, "Bring the rejects of line 3 below 3 %", "60")
    make.make_goal(world.ana_part, world.ana, "Two people can run the new press alone", "40")
    result = KeyResult.objects.create(
        goal=rejects,
        key="a",
        title="Rejects of line 3",
        kind="decrease",
        start=6,
        target=3,
        unit="%",
        current="2.1",
    )
    for days, value, note in (
        (150, "5.2", "The old fixture is worn."),
        (95, "3.4", ""),
        (40, "2.1", "New fixture runs."),
    ):
        update = ProgressUpdate(key_result=result, value=value, confidence="on_track", note=note, author=ana)
        update.at = timezone.now() - timedelta(days=days)
        update.save()
    for days, author, body in (
        (120, bashir, "Thank you for asking before you moved the sensor. That saved us a day."),
        (62, bashir, "The handover was late again on Monday. Please tell me by noon when it slips."),
        (61, ana, "Understood. I will write the list before lunch."),
    ):
        make_entry(world.ana_part, bashir, author, body, stage="appraisal", days_ago=days)
    Feedback.objects.create(
        giver=chen,
        recipient=ana,
        kind="praise",
        visibility="manager",
        body="You explained the press to the new colleagues until they ran it alone.",
    )
    Contribution.objects.create(
        participation=world.ana_part,
        author=ana,
        beneficiary=chen,
        happened_on=today() - timedelta(days=80),
        text="Covered two night shifts when line 4 was short of people.",
    )
    meeting = make_check_in(bashir, ana, in_days=-70, state="held", series=make_series(bashir, ana))
    ActionItem.objects.create(
        check_in=meeting, owner=bashir, text="Order the second torque driver", due_on=date(2027, 1, 5)
    )


def whole_company(world: World) -> None:
    """Enough rated people for a calibration worth looking at."""
    bashir, farid, gita, dora = (
        make.employee(getattr(world, k)) for k in ("bashir", "farid", "gita", "dora")
    )
    names = (
        "Pavel Horak",
        "Nadia Sall",
        "Tom Okafor",
        "Yuki Mori",
        "Elif Demir",
        "Luca Rossi",
        "Sara Lind",
        "Ivan Petrov",
        "Maya Cohen",
        "Omar Farah",
        "Julia Weiss",
        "Diego Cruz",
        "Anna Kowal",
        "Peter Nagy",
        "Zoe Martin",
    )
    labels = ("Meets", "Exceeds", "Meets", "Outstanding", "Partly meets", "Meets", "Exceeds", "Meets")
    rows = []
    for number, name in enumerate(names):
        boss = (bashir, farid, gita)[number % 3]
        person = people.make_employee(
            name, world.sales if boss == gita else world.production, job_title="Operator"
        )
        part = cycles.take_part(world.cycle, person, boss, dora)
        level = make.level(world.cycle, labels[(number * (1 + number % 3)) % len(labels)])
        rows.append(Rating(participation=part, proposed=level, proposed_by=boss, score=level.value))
    Rating.objects.bulk_create(rows)


def fill(page: Page, level: str, texts: dict[str, str]) -> None:
    for group in page.locator("fieldset.field-rating").all():
        group.get_by_text(level, exact=True).first.click()
    for label, text in texts.items():
        page.get_by_label(label).fill(text)


@pytest.mark.timeout(300)
def test_a_year_is_appraised_calibrated_released_read_and_answered(visit: Visit) -> None:
    world = build_world()
    year_of_ana(world)
    make.open_stage(world.cycle)
    own, theirs = make.self_appraisal(world.ana_part), make.manager_appraisal(world.ana_part)

    page = visit(world.ana, reverse("appraisals:list"))
    page.get_by_role("link", name="Write").click()
    fill(
        page,
        "Exceeds",
        {
            "What was achieved": TEXTS["achieved"],
            "What fell short": TEXTS["fell_short"],
            "Which abilities": TEXTS["ahead"],
        },
    )
    page.get_by_label("What fell short").click()
    page.get_by_role("button", name="Insert as quote").first.click()
    page.locator("[data-autosave-status][data-state=saved]").wait_for()
    look(page, "appraisal-write-self")
    in_both_themes(page)
    page.get_by_role("button", name="Hand in").click()
    page.get_by_text("Your manager can read it from now on").wait_for()
    look(page, "appraisal-read")
    in_both_themes(page)

    page = visit(world.bashir, reverse("appraisals:write", args=[theirs.pk]))
    assert page.get_by_text("Rejects on line 3 fell").count() == 0
    fill(
        page,
        "Exceeds",
        {
            "What was achieved": TEXTS["manager_achieved"],
            "What fell short": TEXTS["manager_fell_short"],
            "The year in one sentence": TEXTS["summary"],
        },
    )
    page.locator("[data-autosave-status][data-state=saved]").wait_for()
    page.reload()
    page.get_by_text("Rejects on line 3 fell").first.wait_for()
    look(page, "appraisal-write-manager")
    in_both_themes(page)
    page.locator("fieldset.field-rating").last.get_by_text("Partly meets", exact=True).click()
    page.get_by_text("It must not be a surprise").wait_for()
    page.locator("fieldset.field-rating").last.get_by_text("Exceeds", exact=True).click()
    page.locator("[data-autosave-status][data-state=saved]").wait_for()
    page.get_by_role("button", name="Hand in").click()
    page.get_by_role("heading", name="Appraisal of Chen Wei").wait_for()

    whole_company(world)
    page = visit(world.kim, reverse("appraisals:calibrations", args=[world.cycle.pk]))
    page.get_by_label("Name", exact=True).fill("Production and Sales")
    page.get_by_role("button", name="Open the session").click()
    look(page, "appraisal-calibration")
    in_both_themes(page)
    page.get_by_role("link", name="Move Ana Popescu").click()
    page.get_by_label("Why", exact=True).fill(
        "The output of line 3 is beyond that of the others rated Exceeds."
    )
    page.get_by_label("To", exact=True).select_option("Outstanding")
    look(page, "appraisal-calibration-move")
    page.get_by_role("button", name="Move", exact=True).click()
    page.get_by_text("Both ratings and the reason are kept").wait_for()
    assert CalibrationMove.objects.get().new.label == "Outstanding"

    page.goto(reverse("appraisals:release", args=[world.cycle.pk]))
    page.get_by_role("button", name="Ask for the release").click()
    page.get_by_text("Waits for a second person").wait_for()
    page = visit(world.lea, reverse("appraisals:release", args=[world.cycle.pk]))
    look(page, "appraisal-release")
    in_both_themes(page)
    page.get_by_text("Approve and release").first.click()
    page.locator("dialog.ask button[type=submit]").click()
    page.wait_for_url("**/activity/jobs/**")
    for _attempt in range(50):
        if ReleasedResult.objects.exists():
            break
        page.wait_for_timeout(200)
    result = ReleasedResult.objects.get()

    page = visit(world.ana, reverse("appraisals:list"))
    page.get_by_role("link", name="Read my result").click()
    page.get_by_role("heading", name="Outstanding").wait_for()
    look(page, "appraisal-result")
    in_both_themes(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename.endswith(".pdf")
    page.get_by_role("button", name="I have read it").click()
    page.get_by_text("Noted that you have read it").wait_for()
    page.get_by_text("Ask for a review").click()
    page.get_by_label("What should be looked at again?").fill("The second goal was moved in May.")
    page.get_by_role("button", name="Send").first.click()
    page.get_by_text("People who had no part in the result").wait_for()

    page = visit(world.dora, reverse("appraisals:appeal", args=[result.appeal.pk]))
    look(page, "appraisal-review")
    in_both_themes(page)
    page.get_by_text("Dismissed: the rating stays").click()
    page.get_by_label("The reason").fill("The change request shows the new date; the rating took it in.")
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("The person has been told").wait_for()
    assert Appraisal.objects.get(pk=own.pk).submitted_at is not None


def test_the_form_editor_and_its_preview(visit: Visit) -> None:
    world = build_world()
    draft = cycles.make_cycle("Next year", state="draft")
    page = visit(world.kim, reverse("appraisals:form", args=[draft.pk]))
    page.get_by_role("button", name="Use this form").click()
    page.get_by_label("Weight, %").first.fill("50")
    page.get_by_text("90 / 100").wait_for()
    look(page, "appraisal-form")
    in_both_themes(page)
    page.get_by_role("button", name="Save the form").click()
    page.get_by_text("The launch waits until they total 100").wait_for()
    page.get_by_role("link", name="Preview as employee").click()
    page.get_by_role("heading", name="What an employee will see").wait_for()
    in_both_themes(page)
