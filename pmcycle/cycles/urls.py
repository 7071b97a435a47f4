from django.urls import path

from pmcycle.cycles import views

app_name = "cycles"
urlpatterns = [
    path("", views.list_cycles, name="list"),
    path("new/", views.create, name="create"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/set-up/<slug:step>/", views.configure, name="configure"),
    path("<int:pk>/preview/", views.preview, name="preview"),
    path("<int:pk>/accept/", views.accept_warning, name="accept_warning"),
    path("<int:pk>/launch/", views.launch, name="launch"),
    path("<int:pk>/discard/", views.discard, name="discard"),
    path("<int:pk>/close/", views.close, name="close"),
    path("<int:pk>/archive/", views.archive, name="archive"),
    path("<int:pk>/open-again/", views.request_reopening, name="request_reopening"),
    path("reopenings/<int:pk>/approve/", views.approve_reopening, name="approve_reopening"),
    path("reopenings/<int:pk>/withdraw/", views.withdraw_reopening, name="withdraw_reopening"),
    path("<int:pk>/exceptions/", views.list_exceptions, name="exceptions"),
    path("<int:pk>/add/", views.add_person, name="add_person"),
    path("stage/<int:pk>/open/", views.open_stage, name="open_stage"),
    path("stage/<int:pk>/close/", views.close_stage, name="close_stage"),
    path("stage/<int:pk>/postpone/", views.postpone_stage, name="postpone_stage"),
    path("person/<int:pk>/", views.life_line, name="life_line"),
    path("person/<int:pk>/extend/", views.extend, name="extend"),
    path("person/<int:pk>/transfer/", views.transfer, name="transfer"),
    path("person/<int:pk>/left/", views.mark_left, name="mark_left"),
    path("person/<int:pk>/return/", views.return_person, name="return_person"),
]
