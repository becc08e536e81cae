"""From a row of published cases to a question: what a framework's name, a note or a blank cell stands for.

Only what the row itself says counts: never who published it, so that a new source is read like an old one.
"""
