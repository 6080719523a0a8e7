"""Training files: which threads leave, in what form, and the proof that a trainer can use them."""
