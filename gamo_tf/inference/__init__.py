"""What is done with a trained run: new samples of G, predictions, exported models and
balanced tables."""
