"""What importing a hubconf would bind, found by abstract interpretation: nothing is executed."""
