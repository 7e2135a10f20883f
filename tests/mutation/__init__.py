"""How much of the circuit breaker its tests would notice: run `python -m tests.mutation`."""
