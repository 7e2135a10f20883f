"""What orders and returns share: which rows of a sale carry value, and its arithmetic."""
