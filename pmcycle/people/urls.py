from django.urls import path

from pmcycle.people.views import company, imports

app_name = "people"
urlpatterns = [
    path("imports/", imports.imports, name="imports"),
    path("imports/upload/", imports.upload_import, name="upload_import"),
    path("imports/<int:pk>/columns/", imports.map_columns, name="map_columns"),
    path("imports/<int:pk>/", imports.rehearsal, name="rehearsal"),
    path("imports/<int:pk>/rehearse/", imports.rehearse, name="rehearse"),
    path("imports/<int:pk>/settle/", imports.settle, name="settle"),
    path("imports/<int:pk>/leave-out/", imports.leave_out_refused, name="leave_out_refused"),
    path("imports/<int:pk>/apply/", imports.apply_import, name="apply_import"),
    path("", company.org_chart, name="org_chart"),
    path("<int:pk>/", company.profile, name="profile"),
    path("<int:pk>/reports/", company.reports, name="reports"),
    path("<int:pk>/edit/", company.edit_employee, name="edit_employee"),
    path("<int:pk>/manager/", company.change_manager, name="change_manager"),
    path("<int:pk>/absence/", company.add_absence, name="add_absence"),
    path("<int:pk>/leave/", company.set_leave_date, name="set_leave_date"),
    path("absences/<int:pk>/end/", company.end_absence, name="end_absence"),
    path("picker/", company.picker, name="picker"),
]
