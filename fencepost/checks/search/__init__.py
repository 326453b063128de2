"""The searches: each chooses who runs next throughout one schedule."""

__all__: list[str] = []
