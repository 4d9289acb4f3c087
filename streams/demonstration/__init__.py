"""The demo: a simulated fleet, its incidents, and the stage they are shown on."""
