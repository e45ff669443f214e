"""What a file's labels say: who is wild type, and which genes each perturbation takes away."""
