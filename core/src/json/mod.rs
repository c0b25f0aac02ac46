//! Fast reading and writing of JSON text, without a tree of values.

pub(crate) mod cursor;
pub(crate) mod string;
