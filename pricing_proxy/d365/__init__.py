"""HTTP out to Dynamics 365: tokens, transport, OData and the clients."""
