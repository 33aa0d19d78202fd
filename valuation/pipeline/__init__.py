"""Orchestration: joins tables into aligned arrays, calls the numerical rooms, writes what they return.

One module a stage, in the order of the way through the house: `basket` → `model` → `sessions` → `values` →
`tracking` → `run`; beside them `price`, `explain`, `validate`, `status` and `demo`.
"""
