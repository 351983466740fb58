//! Egress: the one place where frames leave.
