from django.urls import path

from engagement.coverage import views

app_name = "coverage"
urlpatterns = [
    path("", views.page, name="page"),
    path("apply/", views.apply, name="apply"),
    path("export/", views.export, name="export"),
    path("terms/", views.terms, name="terms"),
]
