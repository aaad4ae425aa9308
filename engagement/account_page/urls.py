from django.urls import path

from engagement.account_page import views

app_name = "account_page"
urlpatterns = [
    path("<int:pk>/", views.page, name="page"),
    path("<int:pk>/story/", views.story, name="story"),
    path("<int:pk>/family/", views.family, name="family"),
    path("options/", views.options, name="options"),
]
