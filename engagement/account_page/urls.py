from django.urls import path

from engagement.account_page import views

app_name = "account_page"
urlpatterns = [
    path("<int:pk>/", views.page, name="page"),
]
