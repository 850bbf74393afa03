"""The quality gate: after refinement it compares the refined disparity with the base by signs that need no ground truth, and keeps what they allow.

Read `engine.gate.judge` from top to bottom. Shapes, shared by every file here: B members, H W pixels of the depth model, h w latents.
"""
