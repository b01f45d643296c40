"""Template vocabulary of the panel: the cells as filters, and the control strip."""
