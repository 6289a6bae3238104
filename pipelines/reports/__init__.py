"""What people read: the evidence, the monitor, model cards, the terminal. Every figure comes from a run."""
