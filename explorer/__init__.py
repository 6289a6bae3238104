"""The pages of app.py: a window on the tables, for people who lead schools and have never heard of a model.

    store     reads the tables, each only as far as a page needs, and remembers what it read
    words     numbers, grades and sentences in plain English, safe to show
    charts    every chart comes with its finding, a sentence, its table and a download
    access    who may see which registers
    own       the registers kept, as far as the visitor may see them
    history   a school over the years, for its page
    capacity  who could lead improvement in a trust, for its page
    report    a school as a page to print, in one file
    find, school, what_if, trust, compare, evidence, how_good, your_data, about: a page each

Nothing is trained or scored here. A page shows what the batch job stored; its sums of its own are the what-if and what
registers say. Nothing is written but a register that its owner asks to keep.
"""
