"""Simulated Entra ID, F&O and Magento over real HTTP, with faults on dials."""
