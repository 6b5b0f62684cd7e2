"""All tables, one after another."""

from bench import affine, quality, speed, startup

for table in (speed, startup, quality, affine):
    print(f"\n{table.__name__}: {(table.__doc__ or '').splitlines()[0]}\n")
    table.main()
