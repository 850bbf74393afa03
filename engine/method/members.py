"""Ensemble members: each with tokens, decoder copy and scalar of its own, one AdamW over all of them.

AdamW works element by element, so one optimiser over B members is B optimisers. Shapes: B members, N tokens of C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..api.settings import MethodSettings
from .protocols import DepthModel, Encoding


class Members(nn.Module):
    """The trainable state of B members that start from the same encoding.

    The patch tokens are parameters; the class token stays as the encoder gave it, and so does what separates the model's estimate from what is
    decoded of the tokens: members start at the estimate.
    """

    def __init__(self, depth_model: DepthModel, encoding: Encoding, count: int) -> None:
        super().__init__()
        self.patch_grid = encoding.patch_grid
        self.class_tokens = [layer[:, :1].detach() for layer in encoding.tokens]
        self.patch_tokens = nn.ParameterList(layer[:, 1:].detach().float().repeat(count, 1, 1) for layer in encoding.tokens)
        self.decoders = nn.ModuleList(depth_model.new_decoder() for _ in range(count))
        self.scale_offset = nn.Parameter(torch.zeros(count, device=encoding.tokens[0].device))
        self.apart: Tensor | None = None
        if encoding.views is not None:
            with torch.no_grad():
                self.apart = encoding.views.mean(dim=0) - self._decoded(0)

    def disparity(self) -> Tensor:
        """Return each member's disparity (B, H, W), after the ReLU."""
        maps = torch.cat([self._decoded(member) for member in range(len(self.decoders))])
        return torch.relu(maps if self.apart is None else maps + self.apart)

    def optimiser(self, settings: MethodSettings) -> torch.optim.AdamW:
        """Return AdamW with the three learning rates of the paper: tokens, head, scalar; a head with rate 0 is frozen, which spares its gradients."""
        self.decoders.requires_grad_(settings.head_lr > 0)
        return torch.optim.AdamW(
            [
                {"params": list(self.patch_tokens), "lr": settings.embeddings_lr},
                {"params": list(self.decoders.parameters()), "lr": settings.head_lr},
                {"params": [self.scale_offset], "lr": settings.scale_offset_lr},
            ],
            eps=settings.adam_eps,
            fused=True,  # One kernel for all parameters; there are hundreds of small ones.
        )

    def _decoded(self, member: int) -> Tensor:
        disparity: Tensor = self.decoders[member](self._tokens(member), self.patch_grid)
        return disparity

    def _tokens(self, member: int) -> tuple[Tensor, ...]:
        pairs = zip(self.class_tokens, self.patch_tokens, strict=True)
        return tuple(torch.cat([class_token, patches[member : member + 1]], dim=1) for class_token, patches in pairs)


@torch.no_grad()
def base_disparity(depth_model: DepthModel, encoding: Encoding) -> Tensor:
    """Return the depth model's own disparity (1, H, W): where every member starts."""
    return Members(depth_model, encoding, 1).disparity()
