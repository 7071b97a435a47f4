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
    path("results/<int:pk>/", views.result, name="result"),
    path("results/<int:pk>/pdf/", views.result_pdf, name="result_pdf"),
    path("results/<int:pk>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("results/<int:pk>/appeal/", views.file_appeal, name="file_appeal"),
    path("appeals/<int:pk>/", views.appeal, name="appeal"),
    path("appeals/<int:pk>/decide/", views.decide_appeal, name="decide_appeal"),
    path("cycles/<int:pk>/release/", views.release, name="release"),
    path("cycles/<int:pk>/release/request/", views.request_release, name="request_release"),
    path("releases/<int:pk>/approve/", views.approve_release, name="approve_release"),
    path("releases/<int:pk>/withdraw/", views.withdraw_release, name="withdraw_release"),
    path("cycles/<int:pk>/calibration/", views.calibrations, name="calibrations"),
    path("cycles/<int:pk>/calibration/open/", views.open_calibration, name="open_calibration"),
    path("calibration/<int:pk>/", views.calibration, name="calibration"),
    path("calibration/<int:pk>/move/<int:rating>/", views.move_rating, name="move_rating"),
    path("calibration/<int:pk>/close/", views.close_calibration, name="close_calibration"),
    path("cycles/<int:pk>/form/", views.form, name="form"),
    path("cycles/<int:pk>/form/choose/", views.choose_form, name="choose_form"),
    path("cycles/<int:pk>/form/save/", views.save_form, name="save_form"),
    path("cycles/<int:pk>/preview/", views.preview, name="preview"),
]
