"""All tables, one after another."""

from bench import affine, depth_range, looks, network, objects, quality, refine, refined, speed, startup, verdict, web

for table in (speed, startup, network, quality, affine, depth_range, objects, looks, refine, refined, verdict, web):
    print(f"\n{table.__name__}: {(table.__doc__ or '').splitlines()[0]}\n")
    table.main()
