"""Figures of hosts and environments, CloudWatch's way to them and back, dashboards and alarms."""
