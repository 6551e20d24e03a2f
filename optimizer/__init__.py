"""Resource decisions: on which machine every instance of a stage runs, with how many cores and how much memory.

    trace ──> training ──> latency model ─┐
                                          ├──> decide ──> machines, containers, frontier, bound
    stage, machines, history ─────────────┘       │
                                                  └──> simulate, study: what it would have saved

The decisions are pure functions of arrays: `place`, `stage_frontier` and `nearest_utopia` know nothing of traces or
models. `decide` joins them to predictions. Everything after it plays a cluster in discrete events.
Source: arXiv:2207.02026 for the problem, the two steps and the choice from the frontier; what is ours is said where it
stands.
"""

from paretosql.optimizer.decide import Decision, decide
from paretosql.optimizer.formulation import Terms
from paretosql.optimizer.frontier import nearest_utopia, pareto
from paretosql.optimizer.hierarchy import Frontier, general_frontier, stage_frontier
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.model_files import load_model, save_model
from paretosql.optimizer.placement import Placement, place
from paretosql.optimizer.stage import Container, Operator, Stage
from paretosql.optimizer.study import Question, Study, run_study
from paretosql.optimizer.trace import Header, Trace, read_trace, write_trace
from paretosql.optimizer.training import predict_trace, score, train

__all__ = [
    "Container",
    "Decision",
    "Frontier",
    "Header",
    "Machines",
    "Operator",
    "Placement",
    "Question",
    "Stage",
    "Study",
    "Terms",
    "Trace",
    "decide",
    "general_frontier",
    "load_model",
    "nearest_utopia",
    "pareto",
    "place",
    "predict_trace",
    "read_trace",
    "run_study",
    "save_model",
    "score",
    "stage_frontier",
    "train",
    "write_trace",
]
