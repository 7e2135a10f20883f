"""State flows: the shop holds a copy of what the ERP says now."""
