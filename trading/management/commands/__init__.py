"""One file per command; each is thin and calls one function below."""
