"""The quality gate: after refinement it compares refined and base disparity by signs that need no ground truth, and keeps what they allow.

Read `engine.gate.judge` from top to bottom. Notation, shared by every file here; B members, H W pixels of the depth model, h w latents:

    name        shape       meaning
    change      (H, W)      refined - base, the refined map in the scale of the base
    broad       (H, W)      the change over more than a tenth of the picture: shading says little about it, and depth errors live in it
    detail      (H, W)      change - broad: relief, edges, the shape of surfaces
    share       [0, 1]      how much of a change is kept; 0 = the base stands
    sign        (H, W)      something measured that tells good from bad change; the larger, the worse, unless it says otherwise
"""
