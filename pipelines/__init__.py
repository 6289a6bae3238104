"""From official files to a probability for every open school: the map.

    data/raw     official files as published
      ingest        sources say what a file looks like; ingest reads and checks it; lineage and inspections
      tie it together
    data/tables  one parquet file a table, declared in tables
      inspections   who is asked about on a morning (cohort), and what came next (label) signals       what
      was known about each school that morning train         folds, backtest against the plain rules, fit,
      register evidence      the claims the project comes from, tested on the same examples sturdy        how
      sturdy each answer is: what would explain it away, and what other choices give power         how much
      would have to be known to test those that can't be report_cards  what report cards taught, on top of the
      forecast of grades: the chance of each standard in each area score         every open school to one
      prediction row, or one reason why not, and its next report card batch         the same for feature rows
      (rows) and grids of mornings, of any number; on Spark, spark

Everything after ingestion is keyed by (urn, as_of): a school, on a morning. Dates are compared with as_of in
`as_of` and nowhere else.
"""
