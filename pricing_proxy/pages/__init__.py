"""What the pages for people share: frame, tables, style, and what browsers may do with them.

`drawing` draws a program's own templates over `templates/` here. A page is served by its own
program alone: nothing of it comes from elsewhere.
"""
