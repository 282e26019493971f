"""What the benches share: footage, a light camera, the load client, peers, measuring, the report."""
