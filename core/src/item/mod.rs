//! The items of a session table: their layout, their expiry, and their attribute values.

pub mod attribute;
pub mod expiry;
pub mod layout;
