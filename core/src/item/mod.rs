//! The items of a session table. [`codec`] writes and reads whole items, by the [`layout`] of the table, from
//! [`attribute`] values and the [`expiry`].

pub mod attribute;
pub mod codec;
pub mod expiry;
pub mod layout;
