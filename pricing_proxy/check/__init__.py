"""`pricing-proxy check`: what works between us and the ERP, row by row, and what to do next."""
