from django.urls import path

from engagement.payments import views

app_name = "payments"
urlpatterns = [
    path("accounts/<int:pk>/payments/", views.page, name="page"),
]
