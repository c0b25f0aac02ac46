//! Stores web sessions in Amazon DynamoDB. This is the part of the npm package `dynamodb-session` that does not depend on
//! Node.js.
//!
//! A request takes this path:
//!
//! - [`runtime`] is the thread that performs all I/O.
//! - [`store`] has the operations: [`store::Store::get`], `set`, `touch`, `destroy`. Each one usually sends one DynamoDB
//!   request.
//! - [`wire`] writes request bodies and parses responses. [`item`] is the codec for the items in them, and [`json`] has
//!   the helpers for JSON text. These modules perform no I/O.
//! - [`table`] has the operations on the whole table: list, count, clear, describe, and create.
//! - [`aws`] reads the Region, the endpoint, and the source of credentials from the [`config`] or the environment, at the
//!   first operation.
//! - [`transport`] signs requests, sends them, and retries them. [`credentials`] caches what it signs with.
//!
//! A session stays JSON text: it arrives from JavaScript as one string and is copied into the request. No tree of values
//! is built on the way in or out.

mod aws;
pub mod config;
mod credentials;
mod date;
pub mod environment;
pub mod error;
mod files;
pub mod item {
    //! The items of a session table. [`codec`] writes and reads whole items, by the [`layout`] of the table, from
    //! [`attribute`] values and the [`expiry`]. A session can have a [`binary`] form, which is for [`encryption`] and
    //! compression.

    pub mod attribute;
    pub mod binary;
    pub mod codec;
    mod compression;
    pub mod encryption;
    pub mod expiry;
    pub mod form;
    pub mod layout;

    /// Maximum size of an item, in bytes
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
    pub(crate) const MAX_ITEM_SIZE: usize = 400 * 1024;
}
mod json {
    //! Fast reading and writing of JSON text, without a tree of values.

    pub(crate) mod cursor;
    pub(crate) mod string;
}
pub mod keyring;
pub mod runtime;
#[cfg(target_os = "linux")]
mod scheduling;
mod single_flight;
pub mod stats;
pub mod store;
pub mod sync;
pub mod table {
    //! Operations on the whole table.
    //!
    //! - [`create`] creates the table, through the AWS SDK.
    //! - [`describe`](mod@describe) returns the descriptions of the service as they are.
    //! - [`scan`] lists, counts, and deletes sessions.

    pub(crate) mod create;
    pub mod describe;
    pub(crate) mod scan;
}
pub mod transport;
pub mod wire {
    //! The bodies of requests and responses.

    pub mod request;
    pub mod response;
    pub mod service_error;
}
