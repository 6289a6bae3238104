"""From official files to a probability for every open school: the map.

    data/raw     official files as published
      sources       what every kind of file looks like, and what is expected of it
      fetch, files  brings them; reads and checks them, keeping what was read
      ingest        to our tables; lineage and inspections tie them together
    data/tables  one parquet file a table, declared in tables
      registers     what a school or trust knows and no public file says
      inspections   who is asked about on a morning (cohort), and what came next (label)
      signals       what was known about each school that morning
      evaluate      folds, models and plain rules on the same rows, with intervals
      train         backtest, choice, fit, calibration; promotion if earned
      report_cards  what report cards taught, on top of the forecast of grades
      evidence      the claims the project comes from, tested; how sturdy, and what it would take to tell
      study         what each file is worth, whom a visit would have reached, one report of it all, open data
      scoring       open schools to prediction rows or reasons; feature rows; bulk jobs; similar schools
      watching      drift, and how earlier predictions turned out
      reports       pages and cards of what was found
      month         all of it in one line

Everything after ingestion is keyed by (urn, as_of): a school, on a morning. Dates are compared with as_of in
`as_of` and nowhere else.
"""
