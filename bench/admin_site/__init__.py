"""Django's own admin over the same tables, to compare with. No part of the product."""
