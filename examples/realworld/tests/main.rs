//! What the RealWorld example promises.
