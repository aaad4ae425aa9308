from django.urls import path

from renewals.parts import views

app_name = "parts"
urlpatterns = [path("totals/parts/", views.parts, name="parts")]
