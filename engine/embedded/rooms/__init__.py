"""Rooms furnished with real 3D models, rendered with exact depth: training pictures that look more like photographs than `world` does.

    python -m engine.embedded.rooms.make_pack --out PACK.npz                          models and textures in one file
    python -m engine.embedded.rooms.render --pack PACK.npz --out DIR --rooms N        pictures and depth, in shards
    python -m engine.embedded.rooms.contact_sheet DIR FILE.png                        to look at

From libraries to a pack: `catalogue` and `obj` read, `mesh` makes models light, `shapes` and `tiles` draw what libraries lack.
From a pack to pictures: `shell` builds a room, `furnish` and `clutter` fill it, `shots` sets lights and cameras, `renderer` draws, `studio` joins all
that. `shards` keeps the pictures and draws batches from them.
"""
