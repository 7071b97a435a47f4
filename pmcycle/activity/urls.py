from django.urls import path

from pmcycle.activity import views

app_name = "activity"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("drafts/<str:key>/", views.draft, name="draft"),
    path("jobs/<int:pk>/", views.job, name="job"),
    path("trail/", views.trail, name="trail"),
    path("who-looked/", views.who_looked, name="who_looked"),
    path("operations/", views.operations, name="operations"),
]
