"""The Differentiable Information Imbalance: weights of features, its value and gradient, a loss for networks."""
