from django.urls import path

from pmcycle.activity import views

app_name = "activity"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.read_all, name="read_all"),
    path("inbox/<int:pk>/", views.open_notice, name="open_notice"),
    path("unsent/", views.unsent, name="unsent"),
    path("unsent/<int:pk>/throw-away/", views.throw_away, name="throw_away"),
    path("drafts/<str:key>/", views.draft, name="draft"),
    path("jobs/<int:pk>/", views.job, name="job"),
    path("jobs/<int:pk>/retry/", views.retry_job, name="retry_job"),
    path("trail/", views.trail, name="trail"),
    path("trail/export/", views.export_trail, name="export_trail"),
    path("trail/chain/", views.chain, name="chain"),
    path("who-looked/", views.who_looked, name="who_looked"),
    path("deliveries/", views.deliveries, name="deliveries"),
    path("deliveries/<int:pk>/retry/", views.retry_delivery, name="retry_delivery"),
    path("operations/", views.operations, name="operations"),
    path("lives/<int:pk>/let-go/", views.let_mails_go, name="let_mails_go"),
    path("lives/<int:pk>/drop-older/", views.drop_older_mails, name="drop_older_mails"),
    path("mailbox/", views.mailbox, name="mailbox"),
    path("mailbox/<str:name>/", views.mail, name="mail"),
    path("mailbox/<str:name>/page/", views.mail_page, name="mail_page"),
]
