"""The steps from one shape of the tables to the next, in modules ``sNNNN``: see `appliance.store.migrate`."""
