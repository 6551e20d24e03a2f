"""A graph transformer over a stage's plan, and a perceptron over it and the other channels (needs torch).

Nodes attend to the operators that they exchange rows with. The mean of all nodes is the plan; with the rows of features
it goes through three layers to one number, the difference of log latency to where the prediction starts.
Source: arXiv:2207.02026 for plan embedder and channels (MCI + GTN); sizes are those of the authors' public code as the
method's notes have them: 3 graph layers, 3 layers, 128 hidden, 4 heads, operator embedding 8, dropout 0.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAYERS, HIDDEN, HEADS, KIND_SIZE, DROPOUT = 3, 128, 4, 8, 0.2


class GraphLayer(nn.Module):
    """Attention among neighbours, and two linear layers, each with a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(HIDDEN, HEADS, dropout=DROPOUT, batch_first=True)
        self.inner = nn.Sequential(
            nn.Linear(HIDDEN, 2 * HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(2 * HIDDEN, HIDDEN)
        )
        self.first, self.second = nn.LayerNorm(HIDDEN), nn.LayerNorm(HIDDEN)

    def forward(self, nodes: Tensor, apart: Tensor) -> Tensor:
        """Nodes of shape (G, P, HIDDEN); `apart`, shape (G, P, P), is True where two do not see each other."""
        mask = apart.repeat_interleave(HEADS, dim=0)
        seen, _ = self.attention(nodes, nodes, nodes, attn_mask=mask, need_weights=False)
        nodes = self.first(nodes + seen)
        found: Tensor = self.second(nodes + self.inner(nodes))
        return found


class PlanNetwork(nn.Module):
    """From plans and rows of features to one number per row."""

    def __init__(self, kinds: int, numbers: int, positions: int, features: int) -> None:
        super().__init__()
        self.kind = nn.Embedding(kinds, KIND_SIZE)
        self.enter = nn.Linear(KIND_SIZE + numbers + positions, HIDDEN)
        self.layers = nn.ModuleList(GraphLayer() for _ in range(LAYERS))
        self.head = nn.Sequential(
            nn.Linear(HIDDEN + features, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, 1),
        )  # fmt: skip
        nn.init.zeros_(self.head[-1].weight)  # an untrained network changes nothing
        nn.init.zeros_(self.head[-1].bias)

    def embed(self, kind: Tensor, numbers: Tensor, position: Tensor, near: Tensor, there: Tensor) -> Tensor:
        """The plans, shape (G, HIDDEN); 0 for a plan without operators."""
        nodes = self.enter(torch.cat((self.kind(kind), numbers, position), dim=-1))
        alone = torch.eye(kind.shape[1], dtype=torch.bool)  # padding sees itself: attention to nothing is no number
        apart = ~(near | alone)
        for layer in self.layers:
            nodes = layer(nodes, apart)
        weight = there.unsqueeze(-1).to(nodes.dtype)
        found: Tensor = (nodes * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
        return found

    def forward(self, plans: Tensor, features: Tensor) -> Tensor:
        """One number for each row; `plans` (p, HIDDEN) and `features` (p, f)."""
        found: Tensor = self.head(torch.cat((plans, features), dim=-1)).squeeze(-1)
        return found
