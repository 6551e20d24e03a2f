"""Readers of workload traces: one module for each layout of files that is understood, registered as it is imported."""

from paretosql.optimizer.readers import (
    alibaba_2017_tasks,
    alibaba_2018,
    native,
    spark_events,
    spark_sql_logs,
    spark_tpc_plans,
    spark_tpch_tasks,
    wfinstances,
)
from paretosql.optimizer.readers.reader import Reader, reader_of, readers

__all__ = [
    "Reader",
    "alibaba_2017_tasks",
    "alibaba_2018",
    "native",
    "reader_of",
    "readers",
    "spark_events",
    "spark_sql_logs",
    "spark_tpc_plans",
    "spark_tpch_tasks",
    "wfinstances",
]
