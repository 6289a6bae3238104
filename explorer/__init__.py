"""The pages of app.py: a window on the tables, for people who lead schools and have never heard of a model.

    store     reads the tables, each only as far as a page needs, and remembers what it read
    words     numbers, grades and sentences in plain English, safe to show
    glossary  what words mean, on hover
    charts    every chart comes with its finding, a sentence, its table and a download
    access    who may see which registers
    owner     who runs it, and whom to write to
    own       the registers kept, as far as the visitor may see them
    search    schools by what is typed, slips and postcodes included
    outlook   what is stored of the next inspection of many schools, to show and to take away
    together  schools taken together, for the page of a trust and its pack
    history   a school over the years, for its page
    earlier   a school's earlier forecasts and how they turned out, for its page
    without   what a prediction was made without, and why, for its page
    capacity  who could lead improvement in a trust, for its page
    brief     a school on one page for governors, also in the pack of a trust
    report    a school as a report to print
    pdf       reports, pages and packs as tagged PDF
    workbook  tables as an Excel workbook
    a page each, of those in `PAGES`

Nothing is trained or scored here. A page shows what the batch job stored; its sums of its own are the what-if
and what registers say. Nothing is written but a register that its owner asks to keep.
"""

PAGES = (  # in the order of the menu; a file's name is its address too: /school?urn=100000
    ("find", "Find a school"),
    ("new", "What’s new"),
    ("school", "School"),
    ("governors", "For governors"),
    ("what_if", "What if"),
    ("trust", "Trust or authority"),
    ("compare", "Compare"),
    ("evidence", "Evidence"),
    ("how_good", "How good is this?"),
    ("your_data", "Your own data"),
    ("about", "About"),
    ("contact", "Contact and accessibility"),
)
HIDDEN = ("governors",)  # not in the menu: a school's page links to its own
