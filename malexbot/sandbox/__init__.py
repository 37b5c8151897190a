"""A loopback Mattermost for demos, tests and benchmarks; see README.md."""
