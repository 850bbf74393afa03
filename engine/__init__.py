"""The Re-Depth engine: depth of one picture, refined at test time by self-supervised relighting."""

__version__ = "0.1.0"
