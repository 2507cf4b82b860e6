"""The coverage: whether grids tile their parents, what is wrong where they do not, and how to mend it."""
