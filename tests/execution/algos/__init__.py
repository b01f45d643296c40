"""Algos: started, walked through their slices, steered, halted."""
