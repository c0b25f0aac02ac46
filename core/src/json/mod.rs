//! Fast reading and writing of JSON text, without a tree of values.

pub mod cursor;
pub mod string;
