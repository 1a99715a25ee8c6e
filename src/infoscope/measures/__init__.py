"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

# what two descriptions of the same items share

# how two samples differ

# how rich one sample is

# where a density bends, how it reacts

__all__: list[str] = []
