"""Tests of the shape of the code: layers, style rules, guarded panel actions. They read source with `ast`."""
