from django.urls import path

from engagement.payments import views

app_name = "payments"
urlpatterns = [
    path("payments/", views.overview, name="overview"),
    path("accounts/<int:pk>/payments/", views.page, name="page"),
]
