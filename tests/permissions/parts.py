"""The parts of the totals."""

from tests.permissions import Row, everybody

ROWS = [Row("parts:parts", everybody(200)), Row("parts:parts", everybody(405), method="post")]
