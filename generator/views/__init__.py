"""Catalog in, things to show out: columns, tables, small charts. Reads no file, knows no page."""
