from django.urls import path

from evaluations import views

app_name = "evaluations"
urlpatterns = [
    path("", views.list_evaluations, name="list"),
    path("of/<int:pk>/", views.write, name="write"),
    path("<int:pk>/", views.read, name="read"),
    path("of/<int:pk>/autosave/", views.autosave, name="autosave"),
    path("<int:pk>/sign/", views.sign, name="sign"),
    path("<int:pk>/throw-away/", views.throw_away, name="throw_away"),
    path("<int:pk>/take-back/", views.take_back, name="take_back"),
    path("cycle/<int:pk>/", views.cycle_evaluation, name="cycle"),
    path("cycle/<int:pk>/compute/", views.compute, name="compute"),
    path("cycle/<int:pk>/publish/", views.publish, name="publish"),
    path("cycle/<int:pk>/carry-over/", views.carry_over, name="carry_over"),
]
