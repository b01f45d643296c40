"""All doors at once: what every address of the panel and the API lets every role do."""
