"""All tables, one after another."""

from bench import affine, depth_range, network, objects, quality, refine, speed, startup, web

for table in (speed, startup, network, quality, affine, depth_range, objects, refine, web):
    print(f"\n{table.__name__}: {(table.__doc__ or '').splitlines()[0]}\n")
    table.main()
