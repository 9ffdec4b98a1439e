"""A computing unit in somebody's AWS account: planned as data, made, registered, checked and removed."""
