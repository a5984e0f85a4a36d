//! The document is true: every operation, as every caller.
