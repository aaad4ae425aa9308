"""What customers ask support for, by theme: who answers it in the product, and what has come of that."""
