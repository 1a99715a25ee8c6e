"""From a command line to Spaces: files and columns, periods, trajectories, what goes with the rows."""
