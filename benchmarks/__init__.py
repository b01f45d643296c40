"""What the product costs and how fast it is, measured on real processes. `python -m benchmarks [NAME …]`.

One file per measurement. Each returns rows with their unit and what they mean; the runner prints them and writes JSON.
"""
