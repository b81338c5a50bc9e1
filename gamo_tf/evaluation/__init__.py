"""How good a training is: metrics, evaluators, results, and pictures of them."""
