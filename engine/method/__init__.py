"""The method of Re-Depth Anything (arXiv 2512.17908), readable from top to bottom in `refine`.

Notation, shared by every file here:

    symbol   name                  shape          meaning
    d        disparity             (B, H, W)      ReLU of the DPT head; larger = nearer, affine-invariant
    o        scale_offset          (B,)           learned scalar, starts at 0
    s, m     depth_scale,          scalars        7 and 0.1
             min_disparity
    z        depth                 (B, H, W)      (s + tanh o) / (d + m); larger = farther, positive
    p        points                (B, 3, H, W)   orthographic, frame x right, y up, z toward the viewer
    n        normals               (B, 3, H, W)   unit, right-handed, facing the viewer
    l, v, h  light_dir, view_dir,  (B, 3)         unit vectors pointing away from the surface
             half_dir
    e        shininess             (B,)           Blinn-Phong exponent
    I        image_srgb            (B, 3, H, W)   [0, 1], the input picture
    x        latents               (B, c, h, w)   what the prior works on
    t        timestep              (B,)           0..999
    ᾱ        alphas_cumprod        (1000,)        the prior's noise schedule
    ε        noise, noise_pred     (B, c, h, w)

B counts ensemble members: they share each pass through the prior and nothing else. With L lights a step, what hangs on the light (l, h, e, x, t, ε)
has B L entries, those of one member beside each other.
"""
