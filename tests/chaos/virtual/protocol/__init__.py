"""The steps of `trading/execution`, one to one and by the same names, as generators on the virtual clock.

What is decided comes from the real `trading/domain`; what is repeated here is the order of steps, locks and commits.
Keep both in step: whoever changes a step there changes it here, and a mutation proves that it matters.
"""
