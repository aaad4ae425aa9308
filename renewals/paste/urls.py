from django.urls import path

from renewals.paste import views

app_name = "paste"
urlpatterns = [path("", views.paste, name="cells")]
