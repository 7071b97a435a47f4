from django.urls import path

from pmcycle.home import board, hubs, views

app_name = "home"
urlpatterns = [
    path("", views.index, name="index"),
    path("team/", views.team, name="team"),
    path("find/", views.palette, name="palette"),
    path("search/", views.search, name="search"),
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("cycles/<int:pk>/hub/", hubs.hub, name="hub"),
    path("people/<int:pk>/years/", hubs.person, name="person"),
    path("cycles/<int:pk>/board/", board.board, name="board"),
    path("cycles/<int:pk>/remind/", board.remind, name="remind"),
]
