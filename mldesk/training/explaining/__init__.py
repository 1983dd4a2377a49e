"""Why a model predicts what it predicts: Shapley values, partial dependence, and the job that works them out."""
