"""A switch that speaks AMI, for tests, faults and machines without Asterisk."""
