"""`./dev faults`: what real processes make of being killed, frozen and cut off while people work."""
