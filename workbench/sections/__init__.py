"""One file per section of the report: plain tables in, one `Section` out.

A section is imported from its own file, so that a notebook waits for its own sections only.
"""
