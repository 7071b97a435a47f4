from django.urls import path

from goals import views

app_name = "goals"
urlpatterns = [
    path("", views.list_, name="list"),
    path("of/<int:pk>/", views.of, name="of"),
    path("of/<int:pk>/new/", views.propose, name="propose"),
    path("of/<int:pk>/draft/", views.draft, name="draft"),
    path("of/<int:pk>/agree/", views.agree_set, name="agree_set"),
    path("of/<int:pk>/contributions/", views.contributions, name="contributions"),
    path("of/<int:pk>/contribute/", views.contribute, name="contribute"),
    path("company/<int:pk>/", views.company, name="company"),
    path("company/<int:pk>/publish/", views.publish, name="publish"),
    path("team/<int:pk>/assign/", views.assign, name="assign"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/propose/", views.propose_draft, name="propose_draft"),
    path("<int:pk>/counter/", views.counter, name="counter"),
    path("<int:pk>/accept/", views.accept, name="accept"),
    path("<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("<int:pk>/align/", views.align, name="align"),
    path("<int:pk>/change/", views.request_change, name="request_change"),
    path("changes/<int:pk>/counter/", views.counter_change, name="counter_change"),
    path("changes/<int:pk>/accept/", views.accept_change, name="accept_change"),
    path("changes/<int:pk>/decline/", views.decline_change, name="decline_change"),
    path("changes/<int:pk>/withdraw/", views.withdraw_change, name="withdraw_change"),
    path("key-results/<int:pk>/progress/", views.record_progress, name="record_progress"),
    path("contributions/<int:pk>/", views.contribution, name="contribution"),
    path("contributions/<int:pk>/confirm/", views.confirm_contribution, name="confirm_contribution"),
    path("contributions/<int:pk>/decline/", views.decline_contribution, name="decline_contribution"),
]
