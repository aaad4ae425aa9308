"""From a file to the book: reading, mapping, checking, and one upsert. docs/import.md is the manual."""
