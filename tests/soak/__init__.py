"""The soak run: its plan, its judgement of what was measured, and the whole of it with a breach that it must see."""
