"""What stands for every symbol that training did not see."""

POOLED = "*"
"""The name under which the pooled entry stands, in every set of parameters by symbol."""
