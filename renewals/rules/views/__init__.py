"""The rules pages: admins only."""
