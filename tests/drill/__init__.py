"""`make drill`: the service walks through outages under load, and a judge reads the digits."""
