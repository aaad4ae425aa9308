from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "dashboards"

    def ready(self) -> None:
        from dashboards.models import Absence, CapacityTerms, ExecutiveMail, Holiday, PlannedCustomers, RenewalHours
        from renewals.history.kinds import add_kind

        noun = "terms of capacity"
        add_kind("capacity_terms", CapacityTerms, noun, noun, is_rule=True)
        noun = "hours of a renewal"
        add_kind("renewal_hours", RenewalHours, noun, noun, is_rule=True, reads=("segment", "stage"))
        add_kind("holiday", Holiday, "holiday", "holidays", is_rule=True)
        noun = "plan of new customers"
        add_kind("planned_customers", PlannedCustomers, noun, "plans of new customers", is_rule=True)
        # Why somebody is away is for them, their manager and admins; the log would tell everybody who sees the book.
        noun, nouns = "absence", "absences"
        add_kind("absence", Absence, noun, nouns, is_rule=True, is_for_admins=True, reads=("person",))
        # Of people and their addresses, as accounts are: for admins.
        noun, nouns = "executive page by mail", "executive pages by mail"
        add_kind("executive_mail", ExecutiveMail, noun, nouns, is_rule=True, is_for_admins=True, reads=("user",))
