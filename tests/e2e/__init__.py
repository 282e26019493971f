"""The whole product as a person meets it: a real appliance, real cameras, a real browser."""
