"""What every training has: losses, the optimizer, averages, and the one loop."""
