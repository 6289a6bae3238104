"""`python -m headway` is the command `headway`."""

from headway.pipelines.__main__ import main

main()
