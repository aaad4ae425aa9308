"""The rows that an address of the table asks for."""

from __future__ import annotations

from django.http import QueryDict

from accounts.models import Company, User, get_company
from renewals.models import Renewal, RenewalQuerySet
from renewals.table.filter_kinds import Reader
from renewals.table.filters import Query, read_query


def read_matching(user: User, params: QueryDict) -> tuple[Company, Query, RenewalQuerySet]:
    """The company, the address as it was understood, and the rows that it asks for, of those this user may see."""
    company = get_company()
    query = read_query(params, Reader(user, company.today(), company.fiscal_year_start_month))
    return company, query, query.apply(Renewal.objects.visible_to(user))
