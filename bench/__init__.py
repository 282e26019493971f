"""How fast it is: one script a question, ratios against peers in the same run.  `python -m bench` runs them all."""
