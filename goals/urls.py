from django.urls import path

from goals.views import (
    agreeing,
    changing,
    company,
    contributions,
    details,
    plans,
    progress,
    proposing,
)

app_name = "goals"
urlpatterns = [
    path("", plans.list_, name="list"),
    path("of/<int:pk>/", plans.of, name="of"),
    path("of/<int:pk>/new/", proposing.propose, name="propose"),
    path("of/<int:pk>/draft/", proposing.draft, name="draft"),
    path("of/<int:pk>/agree/", agreeing.agree_set, name="agree_set"),
    path("of/<int:pk>/contributions/", contributions.contributions, name="contributions"),
    path("of/<int:pk>/contribute/", contributions.contribute, name="contribute"),
    path("company/<int:pk>/", company.company, name="company"),
    path("company/<int:pk>/publish/", company.publish, name="publish"),
    path("company/goals/<int:pk>/", company.republish, name="republish"),
    path("team/<int:pk>/assign/", proposing.assign, name="assign"),
    path("<int:pk>/", details.detail, name="detail"),
    path("<int:pk>/edit/", proposing.edit, name="edit"),
    path("<int:pk>/propose/", proposing.propose_draft, name="propose_draft"),
    path("<int:pk>/counter/", agreeing.counter, name="counter"),
    path("<int:pk>/accept/", agreeing.accept, name="accept"),
    path("<int:pk>/withdraw/", proposing.withdraw, name="withdraw"),
    path("<int:pk>/align/", company.align, name="align"),
    path("<int:pk>/change/", changing.request_change, name="request_change"),
    path("changes/<int:pk>/counter/", changing.counter_change, name="counter_change"),
    path("changes/<int:pk>/accept/", changing.accept_change, name="accept_change"),
    path("changes/<int:pk>/decline/", changing.decline_change, name="decline_change"),
    path("changes/<int:pk>/withdraw/", changing.withdraw_change, name="withdraw_change"),
    path("key-results/<int:pk>/progress/", progress.record_progress, name="record_progress"),
    path("contributions/<int:pk>/", contributions.contribution, name="contribution"),
    path(
        "contributions/<int:pk>/confirm/",
        contributions.confirm_contribution,
        name="confirm_contribution",
    ),
    path(
        "contributions/<int:pk>/decline/",
        contributions.decline_contribution,
        name="decline_contribution",
    ),
]
