"""The study: what each file is worth, whom a visit would have reached, and all of it as one report.

`worth` walks the folds again without each source and with each alone; `decisions` weighs visits by a forecast
against visits by grade; `report` composes what the other commands found; `open_data` exports counts in the
Department's open-data standard.
"""
