"""Between the start and the trained network: the mean of the two is often better on streets that neither has seen.

The idea is WiSE-FT (Wortsman et al., 2022, arXiv:2109.01903): after a short fine-tuning both lie in one basin of the
loss, so the points between them are networks too, and the middle keeps what the start knew.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from detect.training.network import StreetNetwork

SHARES = (1.0, 0.8, 0.6)  # of the trained network; below a half, new classes have lost most of their features

State = dict[str, Tensor]


def state_of(network: StreetNetwork) -> State:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def best_blend(
    network: StreetNetwork, start: State, *, known: int, judge: Callable[[StreetNetwork], float]
) -> tuple[float, float]:
    """Leaves the best blend of `start` and the network in the network itself; its share and score.

    known: how many classes the start had; the class rows of those after them stay as trained.
    """
    trained = state_of(network)
    best = (0.0, -1.0)
    for share in SHARES:
        network.load_state_dict(blended(start, trained, share=share, known=known))
        score = judge(network)
        if score > best[1]:
            best = (share, score)
    network.load_state_dict(blended(start, trained, share=best[0], known=known))
    return best


def blended(start: State, trained: State, *, share: float, known: int) -> State:
    """`share` of the trained values, the rest the start's; counters and new classes' rows stay as trained."""
    mixed: State = {}
    for name, new in trained.items():
        if not new.dtype.is_floating_point:
            mixed[name] = new
            continue
        mixed[name] = start[name] * (1 - share) + new * share
        if name.startswith("street.class_branches.") and name.split(".")[3] == "2":  # the last layer: one row a class
            mixed[name][known:] = new[known:]
    return mixed
