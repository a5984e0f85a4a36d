//! One page of a list.

use example_kit::Nullable;
use poem_openapi::{
    Object,
    types::{ParseFromJSON, ToJSON},
};

/// The longest page, and the one that a client gets who asks for none.
const LONGEST: i64 = 100;

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// How many to leave out.
    pub skip: i64,
    /// How many to take.
    pub take: i64,
    /// Whether to count all.
    pub total: bool,
}

/// A part of a list.
#[derive(Debug, Object)]
pub struct DataPage<T: ParseFromJSON + ToJSON> {
    /// The part.
    pub data: Vec<T>,
    /// How many there are in all, if that was asked for.
    pub total: Nullable<i64>,
}

impl Paging {
    /// What a client asks for, as far as it can be had.
    #[must_use]
    pub fn new(skip: Option<i64>, take: Option<i64>, total: Option<bool>) -> Self {
        Self {
            skip: skip.unwrap_or(0).clamp(0, i64::MAX - LONGEST),
            take: match take {
                None | Some(0) => LONGEST,
                Some(take) => take.clamp(0, LONGEST),
            },
            total: total.unwrap_or(false),
        }
    }
}

impl<T: ParseFromJSON + ToJSON> DataPage<T> {
    /// A page of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { data: Vec::new(), total: Nullable(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_than_a_page() {
        for (take, taken) in [
            (None, 100),
            (Some(0), 100),
            (Some(-1), 0),
            (Some(1), 1),
            (Some(100), 100),
            (Some(101), 100),
            (Some(i64::MAX), 100),
        ] {
            assert_eq!(Paging::new(None, take, None).take, taken, "{take:?}");
        }
        let default = Paging::new(None, None, None);
        assert_eq!((default.skip, default.total), (0, false));
        assert_eq!(Paging::new(Some(-1), None, Some(true)).skip, 0);
    }
}
