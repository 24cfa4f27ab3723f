"""A model of a directory, a mailcow and its administrator, and the promises that hold whatever they do."""
