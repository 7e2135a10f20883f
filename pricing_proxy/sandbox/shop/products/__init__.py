"""The shop's products: their routes, values per scope, attributes and prices."""
