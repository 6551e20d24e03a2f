"""Benchmarks: every number in the documentation comes from `python -m benchmarks NAME --full`.

harness         what a benchmark is: settings, rows, the @benchmark decorator
timing          two programs timed in turns, compared by the median of their ratios
probe           one query in a process of its own: seconds and peak memory
environment     machine, versions, commit
results         rows as text, as JSON, and as a section of docs/results.md
tpch            TPC-H data as Parquet files, generated once into .cache
overhead, imports, ndv, growth, streaming, optimizer, latency_models, latency_noise: the benchmarks themselves
demo            `make demo`
"""
