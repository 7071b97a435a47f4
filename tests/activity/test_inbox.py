"""The inbox: what I was told, unread first, and mine alone."""

from __future__ import annotations

from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from feedback.models import FeedbackRequest
from pmcycle.activity.actions import Tell, tell, tell_all
from pmcycle.activity.models import Delivery, Notice
from pmcycle.people.models import User
from tests.conftest import SignedIn, World
from tests.factories.feedback import make_request, person
from tests.open_items import catch_up


def say(user: User, title: str, **fields: object) -> Notice:
    tell(user, [Tell(user_id=user.pk, title=title, url="/search/", key=title)])
    return Notice.objects.get(key=title)


def test_unread_notices_stand_first_and_are_counted_in_the_menu(
    world: World, as_: SignedIn
) -> None:
    read = say(world.ana, "The older one")
    Notice.objects.filter(pk=read.pk).update(read_at=read.created_at)
    say(world.ana, "The newer one")
    page = as_(world.ana).get("/activity/inbox/").content.decode()
    assert page.index("The newer one") < page.index("The older one")
    assert '<span class="count">1</span>' in page
    assert (
        "The older one" not in as_(world.ana).get("/activity/inbox/?show=unread").content.decode()
    )


def test_a_reminder_counts_in_the_menu_until_what_it_reminds_of_is_done(
    world: World, as_: SignedIn
) -> None:
    ask = make_request(person(world.bashir), person(world.ana), person(world.chen))
    Notice.objects.create(
        recipient=world.ana,
        kind="reminder",
        title="Give feedback",
        url="/search/",
        key="reminded",
        subject_kind="feedback:request",
        subject_id=ask.pk,
    )
    catch_up()
    assert '<span class="count">1</span>' in as_(world.ana).get("/activity/inbox/").content.decode()
    ask.state = FeedbackRequest.State.DECLINED
    ask.save()
    catch_up()
    assert '<span class="count">' not in as_(world.ana).get("/activity/inbox/").content.decode()


def test_opening_a_notice_marks_it_as_read_and_leads_to_its_page(
    world: World, as_: SignedIn
) -> None:
    notice = say(world.ana, "Answer the proposal")
    response = as_(world.ana).post(f"/activity/inbox/{notice.pk}/")
    assert response.headers["Location"] == "/search/"
    notice.refresh_from_db()
    assert notice.read_at


def test_a_notice_can_be_read_without_leaving_the_inbox(world: World, as_: SignedIn) -> None:
    notice = say(world.ana, "Answer the proposal")
    response = as_(world.ana).post(f"/activity/inbox/{notice.pk}/", {"stay": "1"})
    assert response.headers["Location"] == "/activity/inbox/"


def test_looking_at_the_inbox_changes_nothing(world: World, as_: SignedIn) -> None:
    say(world.ana, "Answer the proposal")
    as_(world.ana).get("/activity/inbox/")
    assert Notice.objects.filter(read_at__isnull=True).count() == 1


def test_all_are_marked_at_once_but_only_mine(world: World, as_: SignedIn) -> None:
    say(world.ana, "One")
    say(world.ana, "Two")
    say(world.chen, "Three")
    as_(world.ana).post("/activity/inbox/read/")
    assert Notice.objects.filter(read_at__isnull=True).get().recipient == world.chen


def test_somebody_else_s_notice_does_not_exist_for_me(world: World, as_: SignedIn) -> None:
    notice = say(world.ana, "Answer the proposal")
    assert as_(world.chen).post(f"/activity/inbox/{notice.pk}/").status_code == 404
    assert "Answer the proposal" not in as_(world.chen).get("/activity/inbox/").content.decode()
    assert as_(world.ana).post("/activity/inbox/99999999999999999999/").status_code == 404


def test_an_empty_inbox_says_what_will_come(world: World, as_: SignedIn) -> None:
    assert (
        "Nobody has told you anything yet"
        in as_(world.ana).get("/activity/inbox/").content.decode()
    )
    assert as_(world.ana).get("/activity/inbox/?page=%00&show=%00").status_code == 200


def test_however_many_are_told_the_same_in_one_statement_and_once(
    world: World, as_: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    everybody = User.objects.filter(employee__isnull=False)

    def tell_them(who: QuerySet[User]) -> int:
        pairs = who.values_list("pk", "employee")
        title = "Look at 100 % of it"
        return tell_all(world.cycle, pairs, title=title, url="/people/{n}/", key="looked:{n}")

    with django_assert_num_queries(1):
        told = tell_them(everybody)
    assert told == everybody.count() == Delivery.objects.filter(state="pending").count()
    assert tell_them(everybody) == 0
    assert tell_them(everybody.none()) == 0
    notice = Notice.objects.get(recipient=world.ana)
    assert (notice.url, notice.key) == (
        f"/people/{world.ana.employee_id}/",
        f"looked:{world.ana.employee_id}",
    )
    assert "Look at 100 % of it" in as_(world.ana).get("/activity/inbox/").content.decode()
