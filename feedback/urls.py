from django.urls import path

from feedback.views import conversations

app_name = "feedback"
urlpatterns = [
    path("conversations/<int:pk>/<str:stage>/", conversations.conversation, name="conversation"),
    path("conversations/<int:pk>/<str:stage>/say/", conversations.say, name="say"),
]
