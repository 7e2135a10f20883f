"""Calls to another system that may be slow, throttled or away; knows no vendor.

Read `policy` first: it puts the parts in order. Each part that decides is a pure function
(`breaker_state`, `gate_state`, `aimd`) with a thin owner that has the clock (`breaker`,
`gate`, `bulkhead`). `evidence` says what counts as a failure, `retry` what is repeated,
`prober` how a lost system is found again; `guard` is the small way, for Redis.
"""
