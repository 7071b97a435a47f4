"""The steps of the whole cycle, in the order of the journey."""
