from django.urls import path

from forecasting.snapshots import views

urlpatterns = [
    path("", views.calls, name="calls"),
    path("freeze/", views.freeze_call, name="freeze_call"),
    path("<int:pk>/", views.call, name="call"),
    path("<int:pk>/verify/", views.verify_call, name="verify_call"),
]
