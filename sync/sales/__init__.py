"""What orders and returns share: rows that carry value, arithmetic, references and owners."""
