"""F, M, D and the generators, as Keras functional models, and how they are run."""
