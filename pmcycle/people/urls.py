from django.urls import path

from pmcycle.people.views import accounts, company, imports

app_name = "people"
urlpatterns = [
    path("first-visit/", accounts.first_visit, name="first_visit"),
    path("invitation/<str:token>/", accounts.accept_invitation, name="accept_invitation"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/invite/", accounts.invite, name="invite"),
    path("accounts/<int:pk>/", accounts.account, name="account"),
    path("accounts/<int:pk>/invite-again/", accounts.invite_again, name="invite_again"),
    path("accounts/<int:pk>/close/", accounts.deactivate, name="deactivate"),
    path("accounts/<int:pk>/open/", accounts.reactivate, name="reactivate"),
    path("accounts/<int:pk>/roles/", accounts.grant_role, name="grant_role"),
    path("roles/<int:pk>/end/", accounts.end_role, name="end_role"),
    path("settings/", accounts.settings, name="settings"),
    path("tokens/", accounts.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", accounts.revoke_token, name="revoke_token"),
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
