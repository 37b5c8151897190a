"""A loopback Mattermost for demos, tests and benchmarks."""
