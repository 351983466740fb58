//! Cases for the decision; filled in with the property tests.
