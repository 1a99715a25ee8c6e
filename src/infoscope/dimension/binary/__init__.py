"""The Binary Intrinsic Dimension: how many independent bits are as far apart as the items."""
