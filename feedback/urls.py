from django.urls import path

from feedback.views import agenda, check_ins, conversations, series

app_name = "feedback"
urlpatterns = [
    path("conversations/<int:pk>/<str:stage>/", conversations.conversation, name="conversation"),
    path("conversations/<int:pk>/<str:stage>/say/", conversations.say, name="say"),
    path("check-ins/", check_ins.check_ins, name="check_ins"),
    path("check-ins/<int:pk>/", check_ins.check_in, name="check_in"),
    path("check-ins/<int:pk>/hold/", check_ins.hold, name="hold"),
    path("check-ins/<int:pk>/move/", check_ins.move_check_in, name="move_check_in"),
    path("check-ins/<int:pk>/cancel/", check_ins.cancel_check_in, name="cancel_check_in"),
    path("check-ins/<int:pk>/points/", agenda.add_point, name="add_point"),
    path("check-ins/<int:pk>/note/", agenda.write_note, name="write_note"),
    path("check-ins/<int:pk>/private-note/", agenda.write_private_note, name="write_private_note"),
    path("check-ins/<int:pk>/actions/", agenda.add_action, name="add_action"),
    path("check-ins/<int:pk>/ics/", series.ics, name="ics"),
    path("points/<int:pk>/edit/", agenda.edit_point, name="edit_point"),
    path("points/<int:pk>/remove/", agenda.remove_point, name="remove_point"),
    path("points/<int:pk>/tick/", agenda.tick_point, name="tick_point"),
    path("points/<int:pk>/action/", agenda.turn_into_action, name="turn_into_action"),
    path("actions/<int:pk>/", agenda.item, name="item"),
    path("actions/<int:pk>/done/", agenda.done, name="done"),
    path("actions/<int:pk>/drop/", agenda.drop, name="drop"),
    path("actions/<int:pk>/reschedule/", agenda.reschedule, name="reschedule"),
    path("series/new/", series.schedule, name="schedule"),
    path("series/<int:pk>/reschedule/", series.reschedule_series, name="reschedule_series"),
    path("series/<int:pk>/end/", series.end_series, name="end_series"),
    path("calendar/share/", series.share_calendar, name="share_calendar"),
    path("calendar/revoke/", series.revoke_calendar, name="revoke_calendar"),
    path("calendar/<str:token>.ics", series.calendar, name="calendar"),
]
