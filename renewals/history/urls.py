from django.urls import path

from renewals.history import views

app_name = "history"
urlpatterns = [
    path("", views.log, name="log"),
    path("renewals/<int:pk>/", views.row, name="row"),
    path("renewals/<int:pk>/<slug:field>/", views.cell, name="cell"),
    path("undo/<uuid:batch_id>/", views.undo, name="undo"),
]
