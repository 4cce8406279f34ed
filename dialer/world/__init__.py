"""The telephone world: a pretended public network, its people, and operators, for trying, training and tests."""
