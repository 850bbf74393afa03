"""How far a disparity is from measured depth, and whether refinement brought it nearer. Numpy only, float64 inside.

Read in this order: `manifest` (what is measured), `protocols` (free scale and shift removed), `metrics` (the errors),
`measure` (one picture), `compare` (base against refined over all pictures), `report` (the JSON that is kept).
"""
