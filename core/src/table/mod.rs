//! Operations on the whole table.
//!
//! - [`create`] creates the table, through the AWS SDK.
//! - [`describe`](mod@describe) returns the descriptions of the service as they are.
//! - [`scan`] lists, counts, and deletes sessions.

pub(crate) mod create;
pub mod describe;
pub(crate) mod scan;
