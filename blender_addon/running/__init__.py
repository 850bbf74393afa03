"""Jobs on their way through the engine, without bpy: threads that follow them, and what the window reads of them without waiting."""
