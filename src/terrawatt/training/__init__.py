"""The workload: a training with validation and test, and its metrics."""
