"""What people fill in: the fields of a form, and which faults are seen before a service is asked."""
