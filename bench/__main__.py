"""All tables, one after another."""

from bench import affine, quality, speed

for table in (speed, quality, affine):
    print(f"\n{table.__name__}: {(table.__doc__ or '').splitlines()[0]}\n")
    table.main()
