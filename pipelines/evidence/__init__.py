"""The claims the project comes from, tested: on grades (`claims`) and on report cards (`cards`)."""
