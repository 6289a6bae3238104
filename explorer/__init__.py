"""The pages of app.py: a read-only window on the tables, for people who lead schools and have never heard of a model.

    store     reads the tables, each only as far as a page needs, and remembers what it read
    words     numbers, grades and sentences in plain English, safe to show
    charts    every chart comes with its finding, a sentence, its table and a download
    report    a school as a page to print, in one file
    find, school, what_if, trust, compare, evidence, how_good, your_data, about: a page each

Nothing is trained or scored here. A page shows what the batch job stored; its one sum of its own is the what-if.
"""
