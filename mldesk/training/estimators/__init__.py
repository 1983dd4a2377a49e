"""The estimators of the catalogue. Importing this package imports none of them."""
