from django.urls import URLPattern, path

from appraisals import views

app_name = "appraisals"
urlpatterns: list[URLPattern] = [
    path("", views.index, name="list"),
    path("<int:pk>/write/", views.write, name="write"),
    path("<int:pk>/autosave/", views.autosave, name="autosave"),
    path("<int:pk>/submit/", views.submit, name="submit"),
    path("<int:pk>/", views.read, name="read"),
    path("<int:pk>/cite/", views.cite, name="cite"),
    path("<int:pk>/return/", views.return_for_rework, name="return_for_rework"),
    path("<int:pk>/reopen/", views.reopen, name="reopen"),
    path("cycles/<int:pk>/preview/", views.preview, name="preview"),
]
