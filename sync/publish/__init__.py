"""From the ERP and the entity map to the price service, through shared state."""
