"""Predictions in every form: every open school, mornings, feature rows, on one machine or many."""
