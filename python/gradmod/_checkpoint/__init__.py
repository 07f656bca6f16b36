"""What a saved run takes for granted, and whether all of a run can be saved."""
