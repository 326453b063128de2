"""What a person starts: workloads, scenarios, runs and their reports, the command line."""

__all__: list[str] = []
