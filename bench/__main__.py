"""All tables, one after another."""

from bench import (
    affine,
    augmented_views,
    depth_range,
    layers,
    lens_and_scale,
    many,
    network,
    objects,
    quality,
    refinement,
    speed,
    splats,
    startup,
    stereo,
    verdict,
    volume_rendering,
    web,
    whole_object,
)

TABLES = (
    speed,
    splats,
    startup,
    stereo,
    many,
    network,
    quality,
    affine,
    depth_range,
    lens_and_scale,
    layers,
    objects,
    augmented_views,
    volume_rendering,
    refinement,
    verdict,
    web,
    whole_object,
)

for table in TABLES:
    print(f"\n{table.__name__}: {(table.__doc__ or '').splitlines()[0]}\n")
    table.main()
