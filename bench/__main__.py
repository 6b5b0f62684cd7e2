"""All tables, one after another."""

from bench import affine, depth_range, quality, speed, startup

for table in (speed, startup, quality, affine, depth_range):
    print(f"\n{table.__name__}: {(table.__doc__ or '').splitlines()[0]}\n")
    table.main()
