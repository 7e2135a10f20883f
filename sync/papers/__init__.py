"""What flows share that bring papers of the ERP into the shop."""
