"""`python -m headway.pipelines`, and where the command `headway` begins."""

from headway.pipelines.cli import app, main, runs_of

__all__ = ["app", "main", "runs_of"]

if __name__ == "__main__":
    main()
