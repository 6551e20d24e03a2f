"""Event logs of Spark as short as they can be: one JSON object per event."""

from __future__ import annotations

import json
from typing import Any

START = 1_700_000_000_000
Event = dict[str, Any]


def application(cores: int = 2) -> list[Event]:
    """An application `app-1` with one executor on each of the hosts h1 and h2, with 1 GiB each."""
    added = [
        {
            "Event": "SparkListenerExecutorAdded",
            "Timestamp": START,
            "Executor ID": str(number),
            "Executor Info": {"Host": f"h{number}", "Total Cores": cores},
        }
        for number in (1, 2)
    ]
    return [
        {"Event": "SparkListenerLogStart", "Spark Version": "3.5.1"},
        {"Event": "SparkListenerApplicationStart", "App Name": "small", "App ID": "app-1", "Timestamp": START},
        {
            "Event": "SparkListenerEnvironmentUpdate",
            "Spark Properties": {"spark.executor.memory": "1g", "spark.executor.cores": str(cores)},
        },
        *added,
    ]


def info(stage: int, tasks: int, rdd: int, parents: tuple[int, ...] = (), attempt: int = 0) -> Event:
    """What Spark says about a stage; `rdd` names what it makes."""
    scope = json.dumps({"id": "1", "name": f"WholeStageCodegen ({stage})"})
    return {
        "Stage ID": stage,
        "Stage Attempt ID": attempt,
        "Number of Tasks": tasks,
        "RDD Info": [{"RDD ID": rdd, "Scope": scope}, {"RDD ID": 100 + rdd}],
        "Parent IDs": list(parents),
    }


def job(number: int, stages: list[Event], query: int | None = None, at: int = 0) -> Event:
    """The start of a job, of a query or of none."""
    properties = {} if query is None else {"spark.sql.execution.id": str(query)}
    return {
        "Event": "SparkListenerJobStart",
        "Job ID": number,
        "Submission Time": START + at,
        "Stage Infos": stages,
        "Properties": properties,
    }


def job_end(number: int, at: int, result: str = "JobSucceeded") -> Event:
    """The end of a job."""
    return {
        "Event": "SparkListenerJobEnd",
        "Job ID": number,
        "Completion Time": START + at,
        "Job Result": {"Result": result},
    }


def stage_done(stage: Event, start: int, finish: int, totals: dict[int, int] | None = None) -> Event:
    """The end of a stage, with the totals of accumulators."""
    added = [{"ID": number, "Name": "rows", "Value": str(total)} for number, total in (totals or {}).items()]
    times = {"Submission Time": START + start, "Completion Time": START + finish, "Accumulables": added}
    return {"Event": "SparkListenerStageCompleted", "Stage Info": {**stage, **times}}


def task(stage: int, index: int, start: int, finish: int, **more: Any) -> Event:
    """The end of a task that read 10 rows of a file and 5 of a shuffle; `more`: host, reason, attempt, metrics."""
    host = more.get("host", 1)
    reason = more.get("reason", "Success")
    event = {
        "Event": "SparkListenerTaskEnd",
        "Stage ID": stage,
        "Stage Attempt ID": more.get("stage_attempt", 0),
        "Task End Reason": {"Reason": reason},
        "Task Info": {
            "Index": index,
            "Attempt": more.get("attempt", 0),
            "Launch Time": START + start,
            "Finish Time": START + finish,
            "Executor ID": str(host),
            "Host": f"h{host}",
            "Failed": reason == "ExceptionFailure",
            "Killed": reason == "TaskKilled",
        },
    }
    if reason == "Success":
        event["Task Metrics"] = {
            "Executor Run Time": finish - start,
            "Executor CPU Time": 7_000_000,
            "JVM GC Time": 1,
            "Peak Execution Memory": 4096,
            "Disk Bytes Spilled": 0,
            "Shuffle Read Metrics": {
                "Fetch Wait Time": 2,
                "Remote Bytes Read": 30,
                "Local Bytes Read": 20,
                "Total Records Read": 5,
            },
            "Shuffle Write Metrics": {"Shuffle Bytes Written": 40, "Shuffle Records Written": 4},
            "Input Metrics": {"Bytes Read": 1000, "Records Read": 10},
            "Output Metrics": {"Bytes Written": 0, "Records Written": 0},
        }
    return event


def query_start(number: int, plan: Event, at: int = 0) -> Event:
    """The start of a query with its plan."""
    return {
        "Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart",
        "executionId": number,
        "sparkPlanInfo": plan,
        "time": START + at,
    }


def query_end(number: int, at: int) -> Event:
    """The end of a query."""
    return {
        "Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd",
        "executionId": number,
        "time": START + at,
    }


def node(name: str, metrics: dict[str, int], *children: Event) -> Event:
    """An operator of a plan; metrics are names with numbers of accumulators."""
    given = [{"name": each, "accumulatorId": number, "metricType": "sum"} for each, number in metrics.items()]
    return {"nodeName": name, "simpleString": name, "children": list(children), "metadata": {}, "metrics": given}


def log() -> list[Event]:
    """Query 0: a scan in stage 0 and a sum in stage 1; then job 2 of no query, which uses the scan again."""
    scan, total, again = info(0, 2, rdd=3), info(1, 1, rdd=5, parents=(0,)), info(3, 1, rdd=9, parents=(2,))
    skipped = info(2, 2, rdd=3)
    plan = node(
        "WholeStageCodegen (2)",
        {},
        node(
            "HashAggregate",
            {"number of output rows": 21},
            node(
                "Exchange",
                {"shuffle bytes written": 11, "data size": 12},
                node("Scan parquet ", {"number of output rows": 13}),
            ),
        ),
    )
    return [
        *application(),
        query_start(0, plan, at=5),
        job(0, [scan, total], query=0, at=10),
        task(0, 0, 20, 120),
        task(0, 1, 20, 150, host=2),
        stage_done(scan, 15, 155, {11: 80, 12: 200, 13: 20}),
        task(1, 0, 160, 200),
        stage_done(total, 158, 203, {21: 1}),
        job_end(0, 205),
        query_end(0, 210),
        job(2, [skipped, again], at=300),
        task(3, 0, 310, 330),
        stage_done(again, 305, 330),
        job_end(2, 340, "JobFailed"),
    ]


def lines(events: list[Event]) -> str:
    """The text of a log."""
    return "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events)
