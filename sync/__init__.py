"""The flows of documents between shop and ERP; see README.md for what exists."""
